/** The control plane's address: what is taken, and that a key never travels in the clear by accident. */

import { describe, expect, test } from "bun:test";
import { parseServerUrl } from "./server-url.ts";

const invalid = expect.objectContaining({ name: "UsageError", code: "INVALID_SERVER" });

describe("parseServerUrl", () => {
  test.each([
    ["https://control.example", "https://control.example"],
    ["https://control.example/", "https://control.example"],
    ["https://control.example///", "https://control.example"],
    ["https://control.example:8443/portolan/", "https://control.example:8443/portolan"],
    ["HTTPS://Control.Example", "https://control.example"],
    ["https://192.0.2.1:8443", "https://192.0.2.1:8443"],
    ["https://[2001:db8::1]:8443/", "https://[2001:db8::1]:8443"],
  ])("takes %s as %s", (text, address) => {
    expect(parseServerUrl(text, false)).toBe(address);
  });

  test.each(["http://localhost:8080", "http://127.0.0.1", "http://127.9.8.7:1", "http://[::1]:8080"])(
    "plain http to this host is fine: %s",
    (text) => {
      expect(parseServerUrl(text, false)).toBe(text);
    },
  );

  test.each([
    "http://control.example",
    "http://192.0.2.1",
    "http://128.0.0.1",
    "http://localhost.example",
    "http://127.0.0.1.example",
    "http://[2001:db8::1]",
    "http://0.0.0.0",
  ])("plain http elsewhere only where allowed: %s", (text) => {
    expect(() => parseServerUrl(text, false)).toThrow(invalid);
    expect(() => parseServerUrl(text, false)).toThrow("--allow-plain-http");
    expect(parseServerUrl(text, true)).toBe(text);
  });

  test.each([
    "",
    "control.example",
    "control.example:8080",
    "ftp://control.example",
    "file:///etc/passwd",
    "https://",
    "https://user@control.example",
    "https://user:word@control.example",
    "https://control.example/?a=b",
    "https://control.example/#top",
  ])("refuses '%s'", (text) => {
    expect(() => parseServerUrl(text, true)).toThrow(invalid);
  });
});
