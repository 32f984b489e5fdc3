/** Files of targets and exclusions: comments, line ends, and the line that is wrong. */

import { describe, expect, test } from "bun:test";
import { UsageError } from "../errors.ts";
import { parseTargetFile } from "./target-file.ts";
import type { SpecificationUse } from "./target-spec.ts";

function refusal(text: string, use?: SpecificationUse): UsageError {
  try {
    parseTargetFile(text, use);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${JSON.stringify(text)} was accepted`);
}

describe("parseTargetFile", () => {
  test.each([
    ["", []],
    ["\n\n", []],
    ["# nothing but this", []],
    ["10.0.0.1\n10.0.0.2", ["10.0.0.1", "10.0.0.2"]],
    ["10.0.0.1\r\n\r\n10.0.0.2\r\n", ["10.0.0.1", "10.0.0.2"]],
    ["10.0.0.1\r10.0.0.2", ["10.0.0.1", "10.0.0.2"]],
    ["\ufeff10.0.0.1", ["10.0.0.1"]],
    ["10.0.0.1# the gateway\n  # more\n2001:db8::1 # and this", ["10.0.0.1", "2001:db8::1"]],
    ["; masscan\n // has these\n10.0.0.1-10.0.0.9", ["10.0.0.1-10.0.0.9"]],
    ["10.0.0.1\t10.0.1-2.*  www.example.org,::1", ["10.0.0.1", "10.0.1-2.*", "www.example.org", "::1"]],
  ])("reads %j", (text, tokens) => {
    expect(parseTargetFile(text)).toEqual(tokens);
  });

  test.each([
    ["10.0.0.1\n\n# x\n10.0.0.256\n10.0.0.2", 4, "10.0.0.256", "INVALID_TARGET"],
    ["\ufeff10.0.0", 1, "10.0.0", "INVALID_TARGET"],
    ["10.0.0.1\r\n10.0.0.2 x_y", 2, "x_y", "INVALID_TARGET"],
    ["10.0.0.1 ; no comment", 1, ";", "INVALID_TARGET"],
    ["::1\n2001:db8::/32", 2, "2001:db8::/32", "SCOPE_TOO_LARGE"],
  ])("refuses %j, naming line %d and %p", (text, line, token, code) => {
    const error = refusal(text);
    expect(error).toMatchObject({ code, details: { line, token } });
    expect(error.message).toStartWith(`line ${line}: `);
    expect(error.message).toContain(`'${token}'`);
  });

  test("exclusions may be of any size", () => {
    expect(parseTargetFile("2001:db8::/32\nfe80::/10", "exclusions")).toEqual(["2001:db8::/32", "fe80::/10"]);
    expect(refusal("10.0.0.0/33", "exclusions").details).toEqual({ line: 1, token: "10.0.0.0/33" });
  });

  test("a list of 200,000 lines is read", () => {
    const lines = Array.from({ length: 200_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);
    expect(parseTargetFile(lines.join("\n"))).toEqual(lines);
  });
});
