/** Routing by tables made up for the test, so that every answer a kernel may give is met. Nothing is sent. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { AddressCollector, addressSetOf, unionAddresses } from "#shared/net/address-set.ts";
import { parseIpv4 } from "#shared/net/ipv4.ts";
import { parseIpv6 } from "#shared/net/ipv6.ts";
import { normalizeRanges } from "#shared/net/ranges.ts";
import {
  type AddressFamily,
  type AddressWords,
  formatWords,
  ipv6OfWords,
  wordsOfIpv4,
  wordsOfIpv6,
} from "../targets/address-words.ts";
import { ARPHRD_ETHER, ARPHRD_LOOPBACK, type LinkInfo } from "./netlink.ts";
import type { RouteAnswer } from "./netlink-routes.ts";
import { routeTargets, routeTargetsBy } from "./route.ts";
import type { RoutedTargets, RouteOptions } from "./route-types.ts";
import { allSegments } from "./testing/segments.ts";
import type { RoutingTables } from "./ways-out.ts";

const LO = 1;
const ETH = 2;
const TUN = 3;
const DOWN = 4;
const ARPHRD_NONE = 0xfffe;

function link(index: number, name: string, type: number, up = true): LinkInfo {
  const mac = type === ARPHRD_NONE ? new Uint8Array(0) : Uint8Array.of(2, 0, 0, 0, 0, index);
  return { index, name, type, up, noArp: type !== ARPHRD_ETHER, mac, mtu: 1_500 };
}

const LINKS = [
  link(LO, "lo", ARPHRD_LOOPBACK),
  link(ETH, "eth0", ARPHRD_ETHER),
  link(TUN, "wg0", ARPHRD_NONE),
  link(DOWN, "eth1", ARPHRD_ETHER, false),
];

interface Entry {
  readonly prefix: string;
  readonly dev: number;
  readonly src?: string;
  readonly via?: string;
  readonly kind?: RouteAnswer["kind"] | "blackhole";
  readonly kernelOnly?: boolean;
}

const TABLE: readonly Entry[] = [
  { prefix: "0.0.0.0/0", dev: ETH, via: "10.1.0.254", src: "10.1.0.1" },
  { prefix: "10.1.0.0/24", dev: ETH, src: "10.1.0.1" },
  { prefix: "10.1.0.1/32", dev: LO, src: "10.1.0.1", kind: "own" },
  { prefix: "10.1.0.255/32", dev: ETH, src: "10.1.0.1", kind: "broadcast" },
  { prefix: "10.2.0.0/16", dev: TUN, src: "10.2.0.1" },
  { prefix: "10.3.0.0/16", dev: ETH, src: "10.1.0.1", kernelOnly: true },
  { prefix: "10.4.0.0/16", dev: ETH, kind: "blackhole" },
  { prefix: "10.5.0.0/16", dev: ETH },
  { prefix: "11.0.0.0/8", dev: ETH, src: "10.1.0.1" },
  { prefix: "224.0.0.0/4", dev: ETH, src: "10.1.0.1", kind: "multicast" },
  { prefix: "fd00:1::/64", dev: ETH, src: "fd00:1::1" },
  { prefix: "fd00:1::1/128", dev: LO, src: "fd00:1::1", kind: "own" },
  { prefix: "fd00:2::/32", dev: ETH, via: "fe80::9", src: "fd00:1::1" },
  { prefix: "fe80::/64", dev: ETH, src: "fe80::1" },
];

function wordsOf(address: string): AddressWords {
  const v4 = parseIpv4(address);
  return v4 === undefined ? wordsOfIpv6(parseIpv6(address) ?? 0n) : wordsOfIpv4(v4);
}

interface ParsedEntry extends Entry {
  readonly family: AddressFamily;
  readonly destination: bigint;
  readonly length: number;
}

function parseEntry(entry: Entry): ParsedEntry {
  const [address = "", length = ""] = entry.prefix.split("/");
  const family = address.includes(":") ? 6 : 4;
  return { ...entry, family, destination: ipv6OfWords(wordsOf(address)), length: Number(length) };
}

/** A kernel with this table; `asked` counts the questions. */
function kernelWith(table: readonly Entry[]): RoutingTables & { asked: number } {
  const entries = table.map(parseEntry).toSorted((a, b) => b.length - a.length);
  const lookUp = (family: AddressFamily, target: AddressWords, dev: number): ParsedEntry | undefined => {
    const address = ipv6OfWords(target);
    return entries.find((entry) => {
      const shift = BigInt((family === 4 ? 32 : 128) - entry.length);
      const matches = entry.family === family && address >> shift === entry.destination >> shift;
      return matches && (dev === 0 || entry.dev === dev || entry.kind === "own");
    });
  };
  const kernel: RoutingTables & { asked: number } = {
    asked: 0,
    links: () => LINKS,
    addresses: () => [
      { family: 4, words: wordsOf("10.1.0.1"), linkIndex: ETH },
      { family: 6, words: wordsOf("fd00:1::1"), linkIndex: ETH },
      { family: 4, words: wordsOf("10.2.0.1"), linkIndex: TUN },
    ],
    ipv4Prefixes: () =>
      entries
        .filter(({ family }) => family === 4)
        .map(({ destination, length }) => ({
          destination: Number(destination),
          length,
          linkIndex: undefined,
        })),
    ipv6Prefixes: () =>
      entries
        .filter(({ family }) => family === 6)
        .map(({ destination, length }) => ({ destination, length, linkIndex: undefined })),
    routeTo: (family, target, { linkIndex, source }) => {
      kernel.asked++;
      const entry = lookUp(family, target, linkIndex);
      if (entry === undefined) return { kind: "none", reason: "" };
      if (entry.kind === "blackhole") return { kind: "none", reason: "says blackhole" };
      return {
        kind: entry.kind ?? "host",
        linkIndex: entry.dev,
        gateway: entry.via === undefined ? undefined : wordsOf(entry.via),
        source: source ?? (entry.src === undefined ? undefined : wordsOf(entry.src)),
        kernelOnly: entry.kernelOnly ?? false,
      };
    },
    hasRouteOver: (family, target, linkIndex) => lookUp(family, target, linkIndex) !== undefined,
  };
  return kernel;
}

const AS_IT_IS: RouteOptions = {
  forceKernel: false,
  interfaceName: undefined,
  sourceAddresses: { v4: undefined, v6: undefined },
};

function range4(first: string, last: string): { first: number; last: number } {
  return { first: parseIpv4(first) ?? 0, last: parseIpv4(last) ?? 0 };
}

function range6(first: string, last: string): { first: bigint; last: bigint } {
  return { first: parseIpv6(first) ?? 0n, last: parseIpv6(last) ?? 0n };
}

/** Each segment as `first ×count dev via source first-hop/step`. */
function described(routed: RoutedTargets): string[] {
  const { routes } = routed;
  return allSegments(routed).map(({ family, first, count, route, firstHop, hopStep }) => {
    const way = routes[route];
    if (way === undefined) throw new Error("a segment without a route");
    const gateway = way.gateway === undefined ? "" : ` ${formatWords(family, way.gateway)}`;
    const source = formatWords(family, way.source);
    return `${formatWords(family, first)} ×${count} ${way.interfaceName} ${way.via}${gateway} ${source} ${firstHop}/${hopStep}`;
  });
}

function route(
  v4: readonly [string, string][],
  v6: readonly [string, string][] = [],
  options: Partial<RouteOptions> = {},
): RoutedTargets {
  const targets = addressSetOf(
    v4.map(([first, last]) => range4(first, last)),
    v6.map(([first, last]) => range6(first, last)),
  );
  return routeTargetsBy(kernelWith(TABLE), targets, { ...AS_IT_IS, ...options });
}

describe("routeTargetsBy", () => {
  test("cuts where routes change: gateway's places first, a place for each host on the link, none for the kernel", () => {
    const routed = route(
      [["10.0.255.254", "10.2.0.1"]],
      [
        ["fd00:1::", "fd00:1::3"],
        ["fd00:2::5", "fd00:2::5"],
      ],
    );
    expect(described(routed)).toEqual([
      "10.0.255.254 ×2 eth0 frame 10.1.0.254 10.1.0.1 0/0",
      "10.1.0.0 ×1 eth0 frame 10.1.0.1 2/1",
      "10.1.0.1 ×1 lo kernel 10.1.0.1 -1/0",
      "10.1.0.2 ×253 eth0 frame 10.1.0.1 3/1",
      "10.1.1.0 ×65280 eth0 frame 10.1.0.254 10.1.0.1 0/0",
      "10.2.0.0 ×2 wg0 kernel 10.2.0.1 -1/0",
      "fd00:1:: ×1 eth0 frame fd00:1::1 256/1",
      "fd00:1::1 ×1 lo kernel fd00:1::1 -1/0",
      "fd00:1::2 ×2 eth0 frame fd00:1::1 257/1",
      "fd00:2::5 ×1 eth0 frame fe80::9 fd00:1::1 1/0",
    ]);
    expect(routed.broadcast).toEqual(["10.1.0.255"]);
    expect(routed.hopCount).toBe(259);
    expect(routed.routes).toHaveLength(7);
  });

  test("an IPv6 segment ends with its /64", () => {
    const routed = route([], [["fd00:2::ffff:ffff:ffff:fffe", "fd00:2:0:1::1"]]);
    expect(described(routed)).toEqual([
      "fd00:2::ffff:ffff:ffff:fffe ×2 eth0 frame fe80::9 fd00:1::1 0/0",
      "fd00:2:0:1:: ×2 eth0 frame fe80::9 fd00:1::1 0/0",
    ]);
  });

  test("lets the kernel send what is wrapped on its way, and everything where it is told to", () => {
    expect(described(route([["10.3.0.0", "10.3.0.9"]]))).toEqual(["10.3.0.0 ×10 eth0 kernel 10.1.0.1 -1/0"]);
    const forced = route([["10.1.0.2", "10.1.1.9"]], [["fd00:2::5", "fd00:2::5"]], { forceKernel: true });
    expect(forced.hopCount).toBe(0);
    expect(described(forced)).toEqual([
      "10.1.0.2 ×253 eth0 kernel 10.1.0.1 -1/0",
      "10.1.1.0 ×10 eth0 kernel 10.1.0.1 -1/0",
      "fd00:2::5 ×1 eth0 kernel fd00:1::1 -1/0",
    ]);
  });

  test("loses and doubles no address, however the ranges lie", () => {
    const around = parseIpv4("10.0.255.0") ?? 0;
    const ranges = fc.array(fc.tuple(fc.nat(700), fc.nat(300)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(ranges, (pairs) => {
        const v4 = normalizeRanges(
          pairs.map(([first, length]) => ({ first: around + first, last: around + first + length })),
        );
        const found = routeTargetsBy(kernelWith(TABLE), addressSetOf(v4, []), AS_IT_IS);
        const routed = allSegments(found).map(({ first, count }) => {
          const from = first[3] >>> 0;
          return { first: from, last: from + count - 1 };
        });
        const left = found.broadcast.map((text) => range4(text, text));
        expect(routed.every(({ first }, i) => i === 0 || first > (routed[i - 1]?.last ?? 0))).toBe(true);
        expect(normalizeRanges([...routed, ...left])).toEqual(v4);
      }),
    );
  });

  test("asks once for all ranges between two bounds", () => {
    const first = parseIpv4("10.1.1.0") ?? 0;
    const v4 = Array.from({ length: 50_000 }, (_, i) => ({ first: first + i, last: first + i })).filter(
      (_, i) => i % 2 === 0,
    );
    const kernel = kernelWith(TABLE);
    const { ways, stretches, routes } = routeTargetsBy(kernel, addressSetOf(v4, []), AS_IT_IS);
    expect(stretches.v4Firsts).toHaveLength(25_000);
    expect([...ways.offsets]).toEqual([0, 25_000]);
    expect(routes).toHaveLength(1);
    expect(kernel.asked).toBe(1);
  });

  test("a broadcast address among many targets is left out, and numbers go on behind it", () => {
    const first = parseIpv4("10.1.0.251") ?? 0;
    const odd = Array.from({ length: 5 }, (_, i) => ({ first: first + i * 2, last: first + i * 2 }));
    const routed = routeTargetsBy(kernelWith(TABLE), addressSetOf(odd, []), AS_IT_IS);
    expect(routed.broadcast).toEqual(["10.1.0.255"]);
    expect([...routed.ways.offsets]).toEqual([0, 2, 4]);
    expect([...routed.stretches.offsets]).toEqual([0, 1, 2, 3, 4]);
    expect(described(routed)).toEqual([
      "10.1.0.251 ×1 eth0 frame 10.1.0.1 1/1",
      "10.1.0.253 ×1 eth0 frame 10.1.0.1 2/1",
      "10.1.1.1 ×1 eth0 frame 10.1.0.254 10.1.0.1 0/0",
      "10.1.1.3 ×1 eth0 frame 10.1.0.254 10.1.0.1 0/0",
    ]);
  });

  test("a million stretches are taken, and one more is refused", () => {
    const collector = new AddressCollector();
    const first = parseIpv4("12.0.0.0") ?? 0;
    for (let i = 0; i < 1_000_000; i++) collector.v4.addIpv4(first + i * 2, first + i * 2);
    const most = collector.take();
    expect(routeTargetsBy(kernelWith(TABLE), most, AS_IT_IS).stretches.v4Firsts).toHaveLength(1_000_000);
    const more = unionAddresses(most, addressSetOf([{ first: first - 2, last: first - 2 }], []));
    expect(() => routeTargetsBy(kernelWith(TABLE), more, AS_IT_IS)).toThrow(
      expect.objectContaining({ code: "TOO_MANY_ROUTES" }),
    );
  });

  test("0.0.0.0 counts as a broadcast address", () => {
    expect(route([["0.0.0.0", "0.0.0.2"]]).broadcast).toEqual(["0.0.0.0"]);
  });
});

describe("targets that cannot be reached are refused by name:", () => {
  const refused = (
    v4: readonly [string, string][],
    v6: readonly [string, string][],
    options: Partial<RouteOptions> = {},
  ): unknown => {
    try {
      return route(v4, v6, options);
    } catch (error) {
      return error;
    }
  };

  test.each<[string, [string, string][], [string, string][], Partial<RouteOptions>, string, RegExp]>([
    [
      "no IPv6 route",
      [],
      [["2001:db8::1", "2001:db8::9"]],
      {},
      "NO_ROUTE",
      /^no IPv6 route to 2001:db8::1-2001:db8::9 from this host$/,
    ],
    [
      "a blackhole",
      [["10.3.255.0", "10.4.0.9"]],
      [],
      {},
      "NO_ROUTE",
      /^no route to 10\.4\.0\.0-10\.4\.0\.9 .*blackhole/,
    ],
    ["multicast", [["224.0.0.1", "224.0.0.1"]], [], {}, "NO_ROUTE", /exclude them/],
    ["the unspecified address", [], [["::", "::"]], {}, "NO_ROUTE", /::/],
    [
      "no address of ours that fits",
      [["10.5.0.1", "10.5.0.1"]],
      [],
      {},
      "NO_ADDRESS",
      /10\.5\.0\.1 over eth0/,
    ],
    [
      "link-local without a link",
      [],
      [["fe80::5", "fe80::5"]],
      {},
      "INTERFACE_NEEDED",
      /fe80::5.*--interface/,
    ],
    ["too many hosts on the link", [["11.0.0.0", "11.16.0.0"]], [], {}, "LINK_TOO_LARGE", /eth0/],
    ["too many addresses", [], [["fd00:2::", "fd00:2::ffff:ffff:ffff:ffff"]], {}, "SCOPE_TOO_LARGE", /2\^48/],
    [
      "an interface that is not there",
      [["10.1.0.2", "10.1.0.2"]],
      [],
      { interfaceName: "eth7" },
      "NO_SUCH_INTERFACE",
      /'eth7'.*eth0/,
    ],
    [
      "an interface that is down",
      [["10.1.0.2", "10.1.0.2"]],
      [],
      { interfaceName: "eth1" },
      "INTERFACE_DOWN",
      /'eth1' is down/,
    ],
    [
      "an interface without such an address",
      [],
      [["fd00:1::2", "fd00:1::2"]],
      { interfaceName: "wg0" },
      "NO_ADDRESS",
      /'wg0' has no IPv6 address/,
    ],
    [
      "an interface without a route there",
      [["10.1.0.2", "10.1.0.2"]],
      [],
      { interfaceName: "wg0" },
      "NO_ROUTE",
      /10\.1\.0\.2 from this host over wg0/,
    ],
    [
      "a source of another host",
      [["10.1.0.2", "10.1.0.2"]],
      [],
      { sourceAddresses: { v4: parseIpv4("10.1.0.9"), v6: undefined } },
      "NO_SUCH_ADDRESS",
      /10\.1\.0\.9/,
    ],
  ])("%s", (_, v4, v6, options, code, message) => {
    expect(refused(v4, v6, options)).toEqual(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test("a large link is no hindrance where the kernel finds the hosts", () => {
    expect(route([["11.0.0.0", "11.16.0.0"]], [], { forceKernel: true }).hopCount).toBe(0);
  });

  test("the interface and the source that were asked for are taken", () => {
    const options = {
      interfaceName: "eth0",
      sourceAddresses: { v4: parseIpv4("10.1.0.1"), v6: undefined },
    };
    expect(described(route([["10.2.0.0", "10.2.0.0"]], [["fe80::5", "fe80::5"]], options))).toEqual([
      "10.2.0.0 ×1 eth0 frame 10.1.0.254 10.1.0.1 0/0",
      "fe80::5 ×1 eth0 frame fe80::1 1/1",
    ]);
  });
});

describe("routeTargets", () => {
  test("finds loopback by the real kernel, with its own address as the source", () => {
    const routed = routeTargets(addressSetOf([range4("127.0.0.1", "127.0.0.1")], []), AS_IT_IS);
    expect(described(routed)).toEqual(["127.0.0.1 ×1 lo kernel 127.0.0.1 -1/0"]);
  });

  test("leaves loopback's broadcast address out", () => {
    const targets = addressSetOf([range4("127.255.255.253", "127.255.255.255")], []);
    const routed = routeTargets(targets, AS_IT_IS);
    expect(routed.broadcast).toEqual(["127.255.255.255"]);
    expect(allSegments(routed).map(({ count }) => count)).toEqual([2]);
  });
});
