/** Finding hardware addresses on a real link between two network namespaces. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { addressSetOf } from "#shared/net/address-set.ts";
import { wordsOfIpv4 } from "../targets/address-words.ts";
import { stretchesOf } from "../targets/stretches.ts";
import { countAbsent, hasMac, macOfHop } from "./neighbour-table.ts";
import { newWayTable } from "./way-table.ts";
import { newNeighbourTable, resolveNeighbours } from "./neighbours.ts";
import type { Route, RoutedTargets } from "./route-types.ts";
import { LinkPair } from "./testing/link-pair.ts";

const COMPLETE = 1;

describe("on a link", () => {
  let pair: LinkPair;
  let theirs: string;

  beforeAll(() => {
    pair = new LinkPair();
    theirs = pair.theirMac();
    pair.here("route", "add", "192.0.2.0/24", "via", "10.1.0.2");
    pair.here("route", "add", "198.51.100.0/24", "via", "10.1.0.77");
    pair.here("-6", "route", "add", "fd00:5::/48", "via", "fe80::2", "dev", "lan");
    pair.here("address", "add", "fd00:9::1/128", "dev", "lo");
    pair.here("-6", "route", "add", "fd00:6::/48", "via", "fd00:1::2", "src", "fd00:9::1");
  });

  afterAll(() => pair.close());

  test("ARP and neighbour discovery find who is there, and say who is not, in one search", () => {
    const { segments, ready } = pair.ask({
      v4: [["10.1.0.2", "10.1.0.4"]],
      v6: [
        ["fd00:1::2", "fd00:1::3"],
        ["fd00:5::1", "fd00:5::1"],
      ],
      resolve: true,
    });
    expect(ready).toBe(COMPLETE);
    expect(segments.map(({ first, macs }) => [first, macs])).toEqual([
      ["10.1.0.2", [theirs, theirs, ""]],
      ["fd00:1::2", [theirs, ""]],
      ["fd00:5::1", [theirs]],
    ]);
  });

  test("a gateway that is a target too is found in both places", () => {
    const { segments } = pair.ask({
      v4: [
        ["10.1.0.2", "10.1.0.2"],
        ["192.0.2.1", "192.0.2.1"],
      ],
      resolve: true,
    });
    expect(segments.map(({ macs }) => macs)).toEqual([[theirs], [theirs]]);
  });

  test("an IPv6 gateway is asked from an address of the link, though packets have another source", () => {
    const [segment] = pair.ask({ v6: [["fd00:6::1", "fd00:6::1"]], resolve: true }).segments;
    expect(segment).toMatchObject({ source: "fd00:9::1", macs: [theirs] });
  });

  test("a gateway that the kernel was told of by hand is believed, though it answers nobody", () => {
    const question = { v4: [["198.51.100.1", "198.51.100.1"] as const], resolve: true };
    expect(pair.ask(question).segments[0]?.macs).toEqual([""]);
    pair.here(
      "neighbour",
      "add",
      "10.1.0.77",
      "lladdr",
      "02:00:00:00:77:77",
      "nud",
      "permanent",
      "dev",
      "lan",
    );
    expect(pair.ask(question).segments[0]?.macs).toEqual(["020000007777"]);
  });

  test("a target that the kernel was told of by hand must answer by itself", () => {
    pair.here(
      "neighbour",
      "add",
      "10.1.0.88",
      "lladdr",
      "02:00:00:00:88:88",
      "nud",
      "permanent",
      "dev",
      "lan",
    );
    const [segment] = pair.ask({ v4: [["10.1.0.88", "10.1.0.88"]], resolve: true }).segments;
    expect(segment?.macs).toEqual([""]);
  });

  test("the gateway's address that the user gives stands, whatever the gateway answers", () => {
    const { segments } = pair.ask({
      v4: [["192.0.2.1", "192.0.2.1"]],
      v6: [["fd00:5::1", "fd00:5::1"]],
      gatewayMac: "0200000000ab",
      resolve: true,
    });
    expect(segments.map(({ macs }) => macs)).toEqual([["0200000000ab"], ["0200000000ab"]]);
  });
});

describe("the table", () => {
  const route: Route = {
    family: 4,
    // No interface has this number, so nothing can be sent.
    interfaceName: "none",
    interfaceIndex: 0x7fff_fffe,
    via: "frame",
    source: wordsOfIpv4(0x0a01_0001),
    isForced: false,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    gateway: undefined,
    txQueues: 1,
  };
  const routed: RoutedTargets = {
    routes: [route, { ...route, gateway: wordsOfIpv4(0x0a01_0002) }],
    stretches: stretchesOf(
      addressSetOf(
        [
          { first: 0x0a01_0002, last: 0x0a01_0004 },
          { first: 0x0a02_0000, last: 0x0a02_0008 },
        ],
        [],
      ),
    ),
    ways: newWayTable([
      { count: 3, route: 0, firstHop: 1, hopStep: 1 },
      { count: 9, route: 1, firstHop: 0, hopStep: 0 },
    ]),
    hopCount: 4,
    broadcast: [],
  };

  test("has a given MAC for gateways, and none for hosts", () => {
    const table = newNeighbourTable(routed, Uint8Array.of(2, 0x11, 0xff, 0x22, 0x33, 0x44));
    expect(macOfHop(table, 0)).toEqual({ macHigh: 0x0211, macLow: 0xff22_3344 | 0 });
    expect([1, 2, 3].map((hop) => hasMac(table, hop))).toEqual([false, false, false]);
  });

  test("becomes ready even when the search is stopped, and then calls nobody absent", () => {
    const table = newNeighbourTable(routed, undefined);
    resolveNeighbours(
      routed,
      table,
      () => 0,
      () => true,
      () => undefined,
    );
    expect(Atomics.load(table.ready, 0)).not.toBe(0);
    expect(countAbsent(routed.ways, table)).toBe(0);
  });

  test("becomes ready even when the search fails", () => {
    const table = newNeighbourTable(routed, undefined);
    const search = (): void =>
      resolveNeighbours(
        routed,
        table,
        () => {
          throw new Error("no rate");
        },
        () => false,
        () => undefined,
      );
    expect(search).toThrow("no rate");
    expect(Atomics.load(table.ready, 0)).not.toBe(0);
  });

  test("is ready at once where the kernel routes everything", () => {
    const byKernel = { ...routed, ways: newWayTable([]), hopCount: 0 };
    const table = newNeighbourTable(byKernel, undefined);
    resolveNeighbours(
      byKernel,
      table,
      () => 0,
      () => false,
      () => undefined,
    );
    expect(Atomics.load(table.ready, 0)).toBe(COMPLETE);
  });
});
