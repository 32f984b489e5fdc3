/** Files of targets and exclusions: comments, line ends, parts that end anywhere, and the line that is wrong. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { UsageError } from "../errors.ts";
import type { SpecificationUse, SplitTargets } from "./target-collector.ts";
import { formatAddressSet } from "./target-spec.ts";
import { collectFile, collectWords } from "./testing/collect.ts";

function refusal(text: string, use?: SpecificationUse): UsageError {
  const outcome = readOrRefuse([text], use);
  if (outcome instanceof UsageError) return outcome;
  throw new Error(`${JSON.stringify(text)} was accepted`);
}

function readOrRefuse(parts: readonly string[], use?: SpecificationUse): SplitTargets | UsageError {
  try {
    return collectFile(parts, use);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

describe("TargetFileReader", () => {
  test.each([
    ["", []],
    ["\n\n", []],
    ["# nothing but this", []],
    ["10.0.0.1\n10.0.0.3", ["10.0.0.1", "10.0.0.3"]],
    ["10.0.0.1\r\n\r\n10.0.0.3\r\n", ["10.0.0.1", "10.0.0.3"]],
    ["10.0.0.1\r10.0.0.3", ["10.0.0.1", "10.0.0.3"]],
    ["\ufeff10.0.0.1", ["10.0.0.1"]],
    ["10.0.0.1# the gateway\n  # more\n2001:db8::1 # and this", ["10.0.0.1", "2001:db8::1"]],
    ["; masscan\n // has these\n10.0.0.1-10.0.0.9", ["10.0.0.1-10.0.0.9"]],
    ["\u00a0;comment 10.0.0.1\n10.0.0.3", ["10.0.0.3"]],
    ["10.0.0.1\t10.0.1-2.*  www.example.org,::1", ["10.0.0.1", "10.0.1-2.*", "www.example.org", "::1"]],
  ])("reads %j", (text, words) => {
    expect(collectFile([text])).toEqual(collectWords(words));
  });

  test.each([
    ["10.0.0.1\n\n# x\n10.0.0.256\n10.0.0.2", 4, "10.0.0.256", "INVALID_TARGET"],
    ["\ufeff10.0.0", 1, "10.0.0", "INVALID_TARGET"],
    ["10.0.0.1\r\n10.0.0.2 x_y", 2, "x_y", "INVALID_TARGET"],
    ["10.0.0.1\r\r10.0.0.2 x_y", 3, "x_y", "INVALID_TARGET"],
    ["10.0.0.1 ; no comment", 1, ";", "INVALID_TARGET"],
    ["10.0.0.1\n, // none either", 2, "//", "INVALID_TARGET"],
    ["::1\n2001:db8::/32", 2, "2001:db8::/32", "SCOPE_TOO_LARGE"],
    ["10.0.0.1\nfe80::1", 2, "fe80::1", "INVALID_TARGET"],
  ])("refuses %j, naming line %d and %p", (text, line, token, code) => {
    const error = refusal(text);
    expect(error).toMatchObject({ code, details: { line, token } });
    expect(error.message).toStartWith(`line ${line}: `);
    expect(error.message).toContain(`'${token}'`);
  });

  test("exclusions may be of any size", () => {
    const words = ["2001:db8::/32", "fe80::/10"];
    expect(formatAddressSet(collectFile([words.join("\n")], "exclusions").addresses)).toEqual(words);
    expect(refusal("10.0.0.0/33", "exclusions").details).toEqual({ line: 1, token: "10.0.0.0/33" });
  });

  test("it is the same in whatever parts it comes", () => {
    const words = ["10.0.0.1", "2001:db8::1", "10.0.0.0/30", "www.example.org", "10.0.0.999"];
    const marks = [" ", ",", "\n", "\r\n", "\r", "#", ";", "/", "//", "\t", "\u2003"];
    const piece = fc.constantFrom(...words, ...marks);
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(40)), (pieces, places) => {
        const text = pieces.join("");
        const cuts = [0, ...places.map((place) => Math.min(place, text.length)), text.length];
        const ends = cuts.toSorted((a, b) => a - b);
        const parts = ends.slice(1).map((end, i) => text.slice(ends[i], end));
        const [whole, parted] = [readOrRefuse([text]), readOrRefuse(parts)];
        expect(parted).toEqual(whole);
        if (whole instanceof UsageError) expect(parted).toMatchObject({ details: whole.details });
      }),
      { numRuns: 2_000 },
    );
  });

  test("a word without an end is refused, and not collected", () => {
    const endless = Array.from({ length: 100 }, () => "9".repeat(1_000));
    const outcome = readOrRefuse(["10.0.0.1\n", ...endless]);
    expect(outcome).toMatchObject({ code: "INVALID_TARGET", details: { line: 2 } });
  });

  test("a list of 200,000 lines is read", () => {
    const lines = Array.from(
      { length: 200_000 },
      (_, i) => `10.${i >> 15}.${(i >> 7) & 255}.${(i * 2) & 255}`,
    );
    expect(formatAddressSet(collectFile([lines.join("\n")]).addresses)).toEqual(lines);
  });
});
