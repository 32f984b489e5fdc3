/** What this host's kernel says of its links and routes. Only loopback is sure to be there. */

import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { wordsOfIpv4, wordsOfIpv6 } from "../targets/address-words.ts";
import { ARPHRD_LOOPBACK, countTxQueues, Netlink } from "./netlink.ts";

const LOCALHOST = wordsOfIpv4(0x7f00_0001);
const LOCALHOST6 = wordsOfIpv6(1n);
const ANY_WAY = { linkIndex: 0, source: undefined };

function withNetlink<T>(use: (netlink: Netlink) => T): T {
  const netlink = new Netlink();
  try {
    return use(netlink);
  } finally {
    netlink.close();
  }
}

test("finds the links that /sys knows, with the same index, address, type and MTU", () => {
  const read = (link: string, field: string): string => {
    const path = `/sys/class/net/${link}/${field}`;
    return existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  };
  const links = withNetlink((netlink) => netlink.links());
  expect(links.map(({ name }) => name)).toContain("lo");
  // Tests beside this one make and delete links at any moment; those that /sys shows before and after stay.
  for (const { name, index, type, mtu, mac } of links.filter(({ name }) => read(name, "ifindex") !== "")) {
    expect({ name, index, type, mtu, mac: mac.toHex() }).toEqual({
      name,
      index: Number(read(name, "ifindex")),
      type: Number(read(name, "type")),
      mtu: Number(read(name, "mtu")),
      mac: read(name, "address").replaceAll(":", ""),
    });
  }
});

test("answers questions of all kinds, one after another, on the same socket", () => {
  withNetlink((netlink) => {
    const loopback = netlink.links().find(({ type }) => type === ARPHRD_LOOPBACK);
    for (let i = 0; i < 3; i++) {
      expect(netlink.ipv4Prefixes()).toContainEqual({
        destination: 0x7f00_0000,
        length: 8,
        linkIndex: loopback?.index,
      });
      expect(netlink.ipv6Prefixes()).toContainEqual({
        destination: 1n,
        length: 128,
        linkIndex: loopback?.index,
      });
      expect(netlink.addresses()).toContainEqual({
        family: 4,
        words: LOCALHOST,
        linkIndex: loopback?.index ?? 0,
      });
      expect(Array.isArray(netlink.knownNeighbours())).toBe(true);
      for (const [family, words] of [
        [4, LOCALHOST],
        [6, LOCALHOST6],
      ] as const) {
        expect(netlink.routeTo(family, words, ANY_WAY)).toEqual({
          kind: "own",
          linkIndex: loopback?.index ?? 0,
          gateway: undefined,
          source: words,
          kernelOnly: false,
        });
      }
    }
  });
});

test("an interface has at least one transmit queue, also one that is not there", () => {
  expect(countTxQueues("lo")).toBe(1);
  expect(countTxQueues("no-such-link")).toBe(1);
});
