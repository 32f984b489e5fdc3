/** The ranking of ports: complete, nested, and with the common ones at the head. */

import { describe, expect, test } from "bun:test";
import { UsageError } from "../errors.ts";
import { countPorts, MAX_PORT } from "./port-spec.ts";
import { rangesContain } from "./ranges.ts";
import { registeredPorts } from "./service-names.ts";
import { rankedPorts, topPorts } from "./top-ports.ts";

describe.each(["tcp", "udp"] as const)("of %s", (protocol) => {
  test("every port has one place", () => {
    const ranked = rankedPorts(protocol);
    expect(ranked).toHaveLength(MAX_PORT);
    expect(new Set(ranked).size).toBe(MAX_PORT);
    expect(ranked.every((port) => Number.isInteger(port) && port >= 1 && port <= MAX_PORT)).toBe(true);
  });

  test.each([1, 20, 100, 1_000, 10_000, MAX_PORT])(
    "the first %d are that many, of this protocol only",
    (count) => {
      const ports = topPorts(count, protocol);
      expect(countPorts(ports)).toBe(count);
      expect(countPorts({ tcp: [], udp: [], [protocol]: ports[protocol] })).toBe(count);
      expect(
        rankedPorts(protocol)
          .slice(0, count)
          .every((port) => rangesContain(ports[protocol], port)),
      ).toBe(true);
    },
  );

  test("a registered port comes before one that is not, unless it was ranked by hand", () => {
    const registered = new Set(registeredPorts(protocol));
    const ranked = rankedPorts(protocol);
    const afterHand = ranked.slice(300);
    const firstUnregistered = afterHand.findIndex((port) => !registered.has(port));
    expect(afterHand.slice(firstUnregistered).some((port) => registered.has(port))).toBe(false);
  });
});

test("begin with what most hosts have open", () => {
  expect(topPorts(3)).toEqual({ tcp: [22, 80, 443].map((port) => ({ first: port, last: port })), udp: [] });
  const hundred = topPorts(100).tcp;
  for (const port of [21, 23, 25, 53, 110, 143, 445, 3306, 3389, 5432, 5900, 8080]) {
    expect(rangesContain(hundred, port)).toBe(true);
  }
  const udp = topPorts(20, "udp").udp;
  for (const port of [53, 67, 69, 123, 137, 161, 500, 514, 1900, 5353]) {
    expect(rangesContain(udp, port)).toBe(true);
  }
});

test.each([0, -1, 1.5, 65_536, Number.NaN, Infinity])("%p is no number of ports", (count) => {
  expect(() => topPorts(count)).toThrow(UsageError);
});
