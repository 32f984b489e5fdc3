/** Words that name targets: addresses at once as ranges, host names apart. Forms of words are tested in target-spec. */

import { describe, expect, test } from "bun:test";
import { UsageError } from "../errors.ts";
import { addressSetOf } from "./address-set.ts";
import { TargetCollector } from "./target-collector.ts";
import { formatAddressSet } from "./target-spec.ts";
import { collectWords } from "./testing/collect.ts";

function refusal(text: string): UsageError {
  try {
    collectWords([text]);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}

describe("TargetCollector", () => {
  test("tells host names from addresses, and gives each name once, in order", () => {
    const { addresses, hostnames } = collectWords(["b.example,10.0.0.1 A.example", "::1\na.EXAMPLE"]);
    expect(hostnames).toEqual(["b.example", "a.example"]);
    expect(formatAddressSet(addresses)).toEqual(["10.0.0.1", "::1"]);
  });

  test.each(["10.0.0", "10.0.0.256", "10.0.0.0/33", "a_b", "example.org/24", "-a"])("refuses %s", (token) => {
    expect(refusal(token).details).toEqual({ token });
  });

  test("takes exclusions of any size when they are exclusions", () => {
    expect(refusal("2001:db8::/32").code).toBe("SCOPE_TOO_LARGE");
    for (const text of ["2001:db8::/32", "fe80::1"]) {
      expect(formatAddressSet(collectWords([text], "exclusions").addresses)).toEqual([text]);
    }
  });

  test("reads a word where it stands, and is empty when its words were taken", () => {
    const collector = new TargetCollector("targets", false);
    collector.addWord("x10.0.0.1x", 1, 9);
    collector.addWord("x::1:2x", 1, 6);
    expect(collector.take().addresses).toEqual(
      addressSetOf([{ first: 0x0a00_0001, last: 0x0a00_0001 }], [{ first: 0x1_0002n, last: 0x1_0002n }]),
    );
    expect(collector.take().addresses).toEqual(addressSetOf([], []));
  });
});
