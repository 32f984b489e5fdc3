/** Port specifications: what is read, what is refused and by which name. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { UsageError } from "../errors.ts";
import { countPorts, formatPorts, MAX_PORT, parsePorts, type PortSet } from "./port-spec.ts";
import { normalizeRanges, type NumberRange } from "./ranges.ts";

const port = fc.integer({ min: 1, max: MAX_PORT });
const portRange = fc
  .tuple(port, port)
  .map(([a, b]): NumberRange => ({ first: Math.min(a, b), last: Math.max(a, b) }));
const portRanges = fc.array(fc.oneof(portRange, port.map(single)), { maxLength: 8 }).map(normalizeRanges);
const portSet = fc
  .record({ tcp: portRanges, udp: portRanges })
  .filter(({ tcp, udp }) => tcp.length + udp.length > 0);

function single(value: number): NumberRange {
  return { first: value, last: value };
}

const ALL: NumberRange = { first: 1, last: MAX_PORT };

const READ: readonly (readonly [string, PortSet])[] = [
  ["22", { tcp: [single(22)], udp: [] }],
  ["80-443", { tcp: [{ first: 80, last: 443 }], udp: [] }],
  ["-", { tcp: [ALL], udp: [] }],
  ["-/udp", { tcp: [], udp: [ALL] }],
  ["1,65535", { tcp: [single(1), single(65_535)], udp: [] }],
  ["443,22,22,442-444", { tcp: [single(22), { first: 442, last: 444 }], udp: [] }],
  ["22 80\t443\n8080", { tcp: [22, 80, 443, 8080].map(single), udp: [] }],
  [" 22, 80 ", { tcp: [single(22), single(80)], udp: [] }],
  ["53/udp,80", { tcp: [single(80)], udp: [single(53)] }],
  ["U:53,161,T:22,53/UDP,80", { tcp: [single(22), single(80)], udp: [single(53), single(161)] }],
  ["u:53,80/tcp", { tcp: [single(80)], udp: [single(53)] }],
  [
    "!25,20-30",
    {
      tcp: [
        { first: 20, last: 24 },
        { first: 26, last: 30 },
      ],
      udp: [],
    },
  ],
  ["53,53/udp,54,!53", { tcp: [single(54)], udp: [] }],
  ["53,53/udp,!53/udp", { tcp: [single(53)], udp: [] }],
  ["53,53/udp,!T:53", { tcp: [], udp: [single(53)] }],
  ["-,!1-65534", { tcp: [single(65_535)], udp: [] }],
  ["ssh,HTTP,domain/udp", { tcp: [single(22), single(80)], udp: [single(53)] }],
  ["U:domain,snmp,T:www", { tcp: [single(80)], udp: [single(53), single(161)] }],
  ["x11", { tcp: [{ first: 6_000, last: 6_063 }], udp: [] }],
  [
    "1-25,!ssh,!smtp/tcp",
    {
      tcp: [
        { first: 1, last: 21 },
        { first: 23, last: 24 },
      ],
      udp: [],
    },
  ],
  ["464-466,465/udp,!submissions", { tcp: [single(464), single(466)], udp: [single(465)] }],
];

const REFUSED: readonly (readonly [specification: string, token: string])[] = [
  ["", ""],
  ["   ", ""],
  [",", ""],
  ["22,,80", ""],
  ["22,", ""],
  [",22", ""],
  ["70000", "70000"],
  ["22,65536", "65536"],
  ["0", "0"],
  ["0-5", "0-5"],
  ["80-70000", "80-70000"],
  ["80-20", "80-20"],
  ["a", "a"],
  ["22,htpp", "htpp"],
  ["ssh-http", "ssh-http"],
  ["80-http", "80-http"],
  ["sql*net", "sql*net"],
  ["ht tp", "ht"],
  ["submissions/udp", "submissions/udp"],
  ["U:22,submissions", "submissions"],
  ["22;80", "22;80"],
  ["1-", "1-"],
  ["22,-80", "-80"],
  ["--", "--"],
  ["--80", "--80"],
  ["1-2-3", "1-2-3"],
  ["T:", "T:"],
  ["X:22", "X:22"],
  ["T:U:22", "T:U:22"],
  ["22/sctp", "22/sctp"],
  ["22/", "22/"],
  ["!", "!"],
  ["!!22", "!!22"],
  ["2.5", "2.5"],
  ["1e3", "1e3"],
  ["0x16", "0x16"],
  ["+22", "+22"],
  ["٢٢", "٢٢"],
];

/** The ports, or the refusal. Anything else that is thrown fails the test. */
function attempt(specification: string): PortSet | UsageError {
  try {
    return parsePorts(specification);
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
}

function refusal(specification: string): UsageError {
  const outcome = attempt(specification);
  if (outcome instanceof UsageError) return outcome;
  throw new Error(`'${specification}' was accepted`);
}

describe("parsePorts", () => {
  test.each(READ)("reads %j", (specification, ports) => {
    expect(parsePorts(specification)).toEqual(ports);
  });

  test.each(REFUSED)("refuses %j by name", (specification, token) => {
    const error = refusal(specification);
    expect(error.code).toBe("INVALID_PORT");
    expect(error.details).toEqual({ token });
    expect(error.message).toContain(token === "" ? "an empty entry" : `'${token}'`);
  });

  test.each(["!22", "22,!22", "22,!-", "22,!1-100"])("refuses %j, which leaves no port", (specification) => {
    const error = refusal(specification);
    expect(error.code).toBe("INVALID_PORT");
    expect(error.message).toBe(`invalid port specification '${specification}': no port is left`);
  });

  test.each([
    ["htpp", "'htpp' is no service that IANA knows; did you mean 'http'?"],
    ["!htpp", "'!htpp' is no service that IANA knows; did you mean 'http'?"],
    ["zzzzzzzz", "'zzzzzzzz' is no service that IANA knows"],
    ["submissions/udp", "'submissions/udp' has no udp port; write submissions/tcp"],
  ])("says what is wrong with the name %j", (specification, why) => {
    expect(refusal(specification).message).toBe(`invalid port specification '${specification}': ${why}`);
  });

  test("keeps its message short and clean whatever it is given", () => {
    const error = refusal(`22,\u001b[2J${"9".repeat(100_000)}`);
    expect(`${error.message} ${String(error.details?.token)}`).toMatch(/^[^\p{Cc}]{1,400}$/u);
  });

  test("throws nothing but UsageError, and what it accepts is a set of ports", () => {
    const nearlyPorts = fc.stringMatching(/^[0-9TU:,!/tcpud -]{0,30}$/);
    const anything = fc.oneof(fc.string({ unit: "binary" }), nearlyPorts, portSet.map(formatPorts));
    fc.assert(
      fc.property(anything, (specification) => {
        const ports = attempt(specification);
        if (ports instanceof UsageError) return;
        expect(countPorts(ports)).toBeGreaterThan(0);
        for (const ranges of [ports.tcp, ports.udp]) {
          expect(ranges).toEqual(normalizeRanges(ranges));
          expect(ranges.at(0)?.first ?? 1).toBeGreaterThanOrEqual(1);
          expect(ranges.at(-1)?.last ?? MAX_PORT).toBeLessThanOrEqual(MAX_PORT);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("does not depend on the order of entries that name their protocol", () => {
    const entry = fc
      .tuple(fc.boolean(), portRange, fc.constantFrom("tcp", "udp"))
      .map(([not, { first, last }, protocol]) => `${not ? "!" : ""}${first}-${last}/${protocol}`);
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), (entries) => {
        const forwards = attempt(entries.join(","));
        const backwards = attempt(entries.toReversed().join(","));
        if (forwards instanceof UsageError) expect(backwards).toBeInstanceOf(UsageError);
        else expect(backwards).toEqual(forwards);
      }),
    );
  });
});

describe("formatPorts", () => {
  test("expands exclusions and names UDP last", () => {
    expect(formatPorts(parsePorts("U:53,T:80-443,22,!100"))).toBe("22,80-99,101-443,U:53");
    expect(formatPorts(parsePorts("53/udp"))).toBe("U:53");
  });

  test("is read back by parsePorts", () => {
    fc.assert(fc.property(portSet, (ports) => expect(parsePorts(formatPorts(ports))).toEqual(ports)));
  });

  test("writes the same text for the same set", () => {
    fc.assert(
      fc.property(portSet, (ports) => {
        const text = formatPorts(ports);
        expect(formatPorts(parsePorts(text))).toBe(text);
      }),
    );
  });
});

describe("countPorts", () => {
  test("counts a port once per protocol", () => {
    expect(countPorts(parsePorts("-,-/udp"))).toBe(2 * MAX_PORT);
    expect(countPorts(parsePorts("22,22,20-25,53/udp"))).toBe(7);
  });
});
