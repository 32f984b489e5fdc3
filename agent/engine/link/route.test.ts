/** Routes as this host's kernel gives them. Only loopback is sure to be there, and nothing is sent. */

import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { countRanges } from "#shared/net/ranges.ts";
import { ARPHRD_LOOPBACK, Netlink } from "./netlink.ts";
import { routeTargets } from "./route.ts";

const LOCALHOST = 0x7f00_0001;

function withNetlink<T>(use: (netlink: Netlink) => T): T {
  const netlink = new Netlink();
  try {
    return use(netlink);
  } finally {
    netlink.close();
  }
}

describe("Netlink", () => {
  test("finds the links that /sys knows, with the same index, address, type and MTU", () => {
    const read = (link: string, field: string): string => {
      const path = `/sys/class/net/${link}/${field}`;
      return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
    };
    const links = withNetlink((netlink) => netlink.links());
    expect(links.map(({ name }) => name)).toContain("lo");
    for (const { name, index, type, mtu, mac } of links) {
      const bytes = read(name, "address").replaceAll(":", "");
      expect({ name, index, type, mtu, mac: mac.toHex() }).toEqual({
        name,
        index: Number(read(name, "ifindex")),
        type: Number(read(name, "type")),
        mtu: Number(read(name, "mtu")),
        mac: bytes,
      });
    }
  });

  test("answers one question after another on the same socket", () => {
    withNetlink((netlink) => {
      const loopback = netlink.links().find(({ type }) => type === ARPHRD_LOOPBACK);
      for (let i = 0; i < 3; i++) {
        expect(netlink.routePrefixes().length).toBeGreaterThan(0);
        const route = netlink.routeTo(LOCALHOST);
        expect(route).toEqual({
          linkIndex: loopback?.index ?? 0,
          gateway: undefined,
          source: LOCALHOST,
          broadcast: false,
        });
      }
    });
  });

  test("lists the prefix of loopback", () => {
    const prefixes = withNetlink((netlink) => netlink.routePrefixes());
    expect(prefixes).toContainEqual({ destination: 0x7f00_0000, length: 8 });
  });
});

describe("routeTargets", () => {
  test("loopback goes out raw, from its own address", () => {
    const { segments, broadcast } = routeTargets([{ first: LOCALHOST, last: LOCALHOST }], false);
    expect(broadcast).toEqual([]);
    expect(segments).toEqual([
      {
        first: LOCALHOST,
        last: LOCALHOST,
        interfaceName: "lo",
        interfaceIndex: expect.any(Number),
        source: LOCALHOST,
        via: "raw",
        gateway: undefined,
        mac: new Uint8Array(0),
      },
    ]);
  });

  test("cuts ranges where routes change, and nothing is lost or asked twice", () => {
    const ranges = [
      { first: LOCALHOST, last: LOCALHOST + 15 },
      { first: 0x7fff_fff0, last: 0x7fff_fffe },
    ];
    const { segments, broadcast } = routeTargets(ranges, true);
    expect(broadcast).toEqual([]);
    expect(countRanges(segments)).toBe(countRanges(ranges));
    expect(segments[0]?.first).toBe(LOCALHOST);
    expect(segments.at(-1)?.last).toBe(0x7fff_fffe);
    for (let i = 1; i < segments.length; i++) {
      expect(segments[i]?.first).toBeGreaterThan(segments[i - 1]?.last ?? Infinity);
    }
    for (const { via, interfaceName } of segments) expect([via, interfaceName]).toEqual(["raw", "lo"]);
  });

  test("leaves a broadcast address out, and says so", () => {
    const { segments, broadcast } = routeTargets([{ first: 0x7fff_fffd, last: 0x7fff_ffff }], false);
    expect(broadcast).toEqual([0x7fff_ffff]);
    expect(segments.map(({ first, last }) => [first, last])).toEqual([[0x7fff_fffd, 0x7fff_fffe]]);
  });
});
