import { expect, test } from "bun:test";
import { isHostname } from "./hostname.ts";

const LABEL_63 = "a".repeat(63);

test.each([
  "a",
  "localhost",
  "example.org",
  "EXAMPLE.org.",
  "3com.example",
  "x-1",
  "10.0.0.1.nip.io",
  "xn--bcher-kva.example",
  LABEL_63,
  [LABEL_63, LABEL_63, LABEL_63, "a".repeat(61)].join("."),
])("%p is a host name", (name) => {
  expect(isHostname(name)).toBe(true);
});

test.each([
  "",
  ".",
  "a..b",
  ".a",
  "-a",
  "a-",
  "a_b",
  "bücher.example",
  "1",
  "10.0.0.1",
  "10.0.0.256",
  "10.0.0.1-9",
  "10.0.0.*",
  "127.0x1",
  "0x7f000001",
  "0x",
  "::1",
  "a/24",
  "a b",
  `${LABEL_63}a`,
  [LABEL_63, LABEL_63, LABEL_63, "a".repeat(62)].join("."),
])("%p is none", (name) => {
  expect(isHostname(name)).toBe(false);
});
