/** Target specifications: what is read, what is refused and by which name, what is never probed. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { UsageError } from "../errors.ts";
import { formatIpv4, IPV4_SPACE, parseIpv4 } from "./ipv4.ts";
import { countRanges, normalizeRanges, type NumberRange } from "./ranges.ts";
import { formatAddressRange, NEVER_PROBED, parseTargets, probedAddresses } from "./target-spec.ts";

const address = fc.integer({ min: 0, max: IPV4_SPACE - 1 });
const addressRange = fc
  .tuple(address, address)
  .map(([a, b]): NumberRange => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const network = fc.tuple(address, fc.integer({ min: 0, max: 32 })).map(([base, prefix]): NumberRange => {
  const size = 2 ** (32 - prefix);
  const first = base - (base % size);
  return { first, last: first + size - 1 };
});

function range(first: string, last: string): NumberRange {
  return { first: parseIpv4(first) ?? NaN, last: parseIpv4(last) ?? NaN };
}

/** The ranges, or the refusal. Anything else that is thrown fails the test. */
function attempt(specifications: readonly string[]): NumberRange[] | UsageError {
  try {
    return parseTargets(specifications);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

function refusal(specifications: readonly string[]): UsageError {
  const outcome = attempt(specifications);
  if (outcome instanceof UsageError) return outcome;
  throw new Error(`${JSON.stringify(specifications)} was accepted`);
}

describe("parseTargets", () => {
  test.each([
    ["10.0.0.1", [range("10.0.0.1", "10.0.0.1")]],
    ["10.0.0.0/24", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.77/24", [range("10.0.0.0", "10.0.0.255")]],
    ["10.0.0.77/32", [range("10.0.0.77", "10.0.0.77")]],
    ["0.0.0.0/0", [range("0.0.0.0", "255.255.255.255")]],
    ["200.1.2.3/1", [range("128.0.0.0", "255.255.255.255")]],
    ["10.0.0.1-10.0.1.9", [range("10.0.0.1", "10.0.1.9")]],
    ["10.0.0.1-9", [range("10.0.0.1", "10.0.0.9")]],
    ["10.0.0.9-9", [range("10.0.0.9", "10.0.0.9")]],
    ["10.0.0.2,10.0.0.1\n10.0.0.3", [range("10.0.0.1", "10.0.0.3")]],
    [" 10.0.0.9, 10.0.0.0/31 ", [range("10.0.0.0", "10.0.0.1"), range("10.0.0.9", "10.0.0.9")]],
    ["", []],
  ])("reads %j", (specification, ranges) => {
    expect(parseTargets([specification])).toEqual(ranges);
  });

  test("joins several specifications", () => {
    expect(parseTargets(["10.0.0.0/25", "10.0.0.128/25"])).toEqual([range("10.0.0.0", "10.0.0.255")]);
  });

  test.each([
    "a",
    "10.0.0",
    "10.0.0.256",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "10.0.0.0/8/8",
    "/8",
    "10.0.0.9-1",
    "10.0.0.1-",
    "10.0.0.1-256",
    "10.0.0.1-09",
    "-10.0.0.1",
    "10.0.0.1-2-3",
    "10.0.1-2.0",
    "10.0.0.0/24-10.0.1.0/24",
    "::1",
    "example.org",
  ])("refuses %j by name", (token) => {
    const error = refusal(["10.0.0.1", `10.0.0.2,${token}`, "zzz"]);
    expect(error.code).toBe("INVALID_TARGET");
    expect(error.details).toEqual({ token });
    expect(error.message).toStartWith(`invalid target '${token}': `);
  });

  test("keeps its message short and clean whatever it is given", () => {
    const hostile = `\u001b[2J${"9".repeat(100_000)}`;
    for (const specification of [hostile, `${hostile}/8`, `10.0.0.1-${hostile}`, `${hostile}-1`]) {
      const error = refusal([specification]);
      expect(`${error.message} ${String(error.details?.token)}`).toMatch(/^[^\p{Cc}]{1,400}$/u);
    }
  });

  test("throws nothing but UsageError, whatever the text", () => {
    const nearlyTarget = fc.stringMatching(/^[0-9./, -]{0,40}$/);
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: "binary" }), nearlyTarget)), (texts) => {
        const outcome = attempt(texts);
        if (!(outcome instanceof UsageError)) expect(outcome).toEqual(normalizeRanges(outcome));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("formatAddressRange", () => {
  test.each([
    [range("10.0.0.1", "10.0.0.1"), "10.0.0.1"],
    [range("10.0.0.0", "10.0.0.255"), "10.0.0.0/24"],
    [range("10.0.0.1", "10.0.1.0"), "10.0.0.1-10.0.1.0"],
    [range("10.0.0.0", "10.0.0.2"), "10.0.0.0-10.0.0.2"],
    [range("0.0.0.0", "255.255.255.255"), "0.0.0.0/0"],
    [range("0.0.0.1", "255.255.255.255"), "0.0.0.1-255.255.255.255"],
  ])("%j is %s", (given, text) => {
    expect(formatAddressRange(given)).toBe(text);
  });

  test("is read back by parseTargets", () => {
    fc.assert(
      fc.property(fc.oneof(addressRange, network), (given) => {
        expect(parseTargets([formatAddressRange(given)])).toEqual([given]);
      }),
    );
  });

  test("writes every network as a network", () => {
    fc.assert(
      fc.property(network, (given) => {
        const text = formatAddressRange(given);
        if (given.first === given.last) expect(text).toBe(formatIpv4(given.first));
        else expect(text).toStartWith(`${formatIpv4(given.first)}/`);
      }),
    );
  });
});

describe("probedAddresses", () => {
  test("takes out exclusions, this network, multicast and the reserved block", () => {
    expect(probedAddresses(parseTargets(["0.0.0.0/0"]), parseTargets(["2.0.0.0/8"]))).toEqual([
      range("1.0.0.0", "1.255.255.255"),
      range("3.0.0.0", "223.255.255.255"),
    ]);
  });

  test("never lets an address through that was excluded or is never probed, and loses no other", () => {
    fc.assert(
      fc.property(fc.array(addressRange), fc.array(addressRange), (some, exclusions) => {
        const targets = normalizeRanges(some);
        const kept = probedAddresses(targets, exclusions);
        const banned = normalizeRanges([...exclusions, ...NEVER_PROBED]);
        const together = normalizeRanges([...kept, ...banned]);
        // Nothing kept is banned, and with the banned ones every target is there again.
        expect(countRanges(together)).toBe(countRanges(kept) + countRanges(banned));
        expect(together).toEqual(normalizeRanges([...targets, ...banned]));
      }),
    );
  });
});
