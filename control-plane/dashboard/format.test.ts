import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatLoad,
  formatMemoryUsed,
  formatShare,
  makeVisible,
} from "./format.ts";

test.each([
  [undefined, "–"],
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_024, "1.0 KiB"],
  [1_610_612_736, "1.5 GiB"],
  [200 * 1_048_576, "200 MiB"],
  [Number.MAX_SAFE_INTEGER, "8.0 PiB"],
])("%p bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("counts have their thousands apart", () => {
  expect(formatCount(1_234_567)).toBe("1,234,567");
});

test.each([
  [0, "0 %"],
  [0.1234, "12.3 %"],
  [0.999_99, "99.9 %"],
  [1, "100 %"],
])("a share of %p is %s", (share, text) => {
  expect(formatShare(share)).toBe(text);
});

test("only all of it is 100 %", () => {
  const part = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(fc.property(part, (share) => formatShare(share) !== "100 %"));
});

describe("how long ago", () => {
  const nowMs = Date.parse("2026-01-27T10:30:00.000Z");

  test.each([
    ["2026-01-27T10:29:48.000Z", "12 s ago"],
    ["2026-01-27T10:28:59.000Z", "1 min ago"],
    ["2026-01-27T08:30:00.000Z", "2 h ago"],
    ["2026-01-20T10:30:00.000Z", "7 d ago"],
    ["2026-01-27T10:30:05.000Z", "0 s ago"],
    [null, "never"],
  ])("%p was %s", (timestamp, text) => {
    expect(formatAgo(timestamp, nowMs)).toBe(text);
  });
});

test("load and memory say what is known", () => {
  expect(formatLoad(0.421, 4)).toBe("0.42 / 4");
  expect(formatLoad(0.421, undefined)).toBe("0.42");
  expect(formatLoad(undefined, 4)).toBe("–");
  expect(formatMemoryUsed(1_000, 250)).toBe("75 %");
  expect(formatMemoryUsed(1_000, 2_000)).toBe("0 %");
  expect(formatMemoryUsed(0, 0)).toBe("–");
  expect(formatMemoryUsed(1_000, undefined)).toBe("–");
});

describe("text of others", () => {
  test.each([
    ["SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2\n"],
    ["over\rwritten", "over\\x0dwritten"],
    ["\u001b[31mred", "\\x1b[31mred"],
    ["evil\u202Etxt.exe", "evil\\u202etxt.exe"],
    ["zero\u200Bwidth", "zero\\u200bwidth"],
    ["lone \uD800 half", "lone \\ud800 half"],
    ["\u{E0041}", "\\u{e0041}"],
    ["<b>Grüße 你好 🙂</b>", "<b>Grüße 你好 🙂</b>"],
  ])("%j is shown as %j", (text, shown) => {
    expect(makeVisible(text)).toBe(shown);
  });

  test("has nothing left that hides or reorders", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(makeVisible(text)).not.toMatch(/[^\P{C}\n]|[\u2028\u2029]/u);
      }),
    );
  });
});
