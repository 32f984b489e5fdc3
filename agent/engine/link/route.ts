/**
 * Where packets to each target leave: the targets, numbered, and runs of them that each take one route.
 *
 * Which address takes which route is the kernel's to say. Its tables and rules only tell where the answer may change;
 * between two such bounds one question answers for all. So policy rules, metrics and source selection are the kernel's own.
 */

import { PortolanError, UsageError } from "#shared/errors.ts";
import type { AddressRanges } from "#shared/net/address-ranges.ts";
import {
  AddressCollector,
  type AddressSet,
  countAddresses,
  subtractAddresses,
} from "#shared/net/address-set.ts";
import { setBigint } from "#shared/net/address-words.ts";
import { type AddressFamily, type AddressWords, wordsAt, wordsOfIpv4 } from "../targets/address-words.ts";
import { MAX_PERMUTATION_SIZE } from "../targets/permutation.ts";
import { stretchesOf } from "../targets/stretches.ts";
import { Netlink } from "./netlink.ts";
import type { RoutePrefix } from "./netlink-routes.ts";
import { cellsOf } from "./route-cuts.ts";
import type { Route, RoutedTargets, RouteOptions } from "./route-types.ts";
import { newWayTable, type WayRun } from "./way-table.ts";
import { formatStretch, type RoutingTables, WaysOut } from "./ways-out.ts";

/** Targets in more pieces than this would cost more memory than a scanner should have. */
const MAX_STRETCHES = 1_000_000;

/**
 * Hosts on the links themselves, each with a place in the neighbour table. Above it, finding out who is there would take
 * many minutes of broadcasts, and the kernel's own neighbour table, a thousand by default, would lose nearly all.
 */
const MAX_ON_LINK = 2 ** 20;

/** Where the kernel's answer changes although no table says so: 0.0.0.0, multicast, limited broadcast. */
const IPV4_BOUNDS = [0, 1, 0xe000_0000, 0xf000_0000, 0xffff_ffff];
/** ::, fe80::/10, ff00::/8 */
const IPV6_BOUNDS = [0n, 1n, 0xfe80n << 112n, 0xfec0n << 112n, 0xff00n << 112n];

/**
 * @throws PortolanError NO_ROUTE naming the first stretch that cannot be reached; NO_ADDRESS
 * @throws UsageError NO_SUCH_INTERFACE, INTERFACE_DOWN, INTERFACE_NEEDED, NO_SUCH_ADDRESS, NO_ADDRESS, LINK_TOO_LARGE,
 *   SCOPE_TOO_LARGE
 */
export function routeTargets(targets: AddressSet, options: RouteOptions): RoutedTargets {
  const netlink = new Netlink();
  try {
    return routeTargetsBy(netlink, targets, options);
  } finally {
    netlink.close();
  }
}

/** The same by the tables given. */
export function routeTargetsBy(
  kernel: RoutingTables,
  targets: AddressSet,
  options: RouteOptions,
): RoutedTargets {
  if (countAddresses(targets) > MAX_PERMUTATION_SIZE) {
    throw new UsageError("SCOPE_TOO_LARGE", "the targets are more than 2^48 addresses; scan fewer");
  }
  if (targets.v4.length + targets.v6.length > MAX_STRETCHES) throw tooManyStretches();
  const ways = new WaysOut(kernel, options);
  const found: Found = { runs: [], broadcast: new AddressCollector(), names: [] };
  if (targets.v4.length > 0) routeFamily(4, targets.v4, ipv4Bounds(kernel.ipv4Prefixes()), ways, found);
  if (targets.v6.length > 0) routeFamily(6, targets.v6, ipv6Bounds(kernel.ipv6Prefixes()), ways, found);
  return {
    routes: ways.routes,
    stretches: stretchesOf(subtractAddresses(targets, found.broadcast.take())),
    ...placeHops(found.runs, ways.routes),
    broadcast: found.names,
  };
}

/** Every address at which some prefix begins or has just ended, sorted. After the last address of all comes the first. */
function ipv4Bounds(prefixes: readonly RoutePrefix<number>[]): Uint32Array {
  const bounds = new Uint32Array(prefixes.length * 2 + IPV4_BOUNDS.length);
  prefixes.forEach(({ destination, length }, i) => {
    bounds[i * 2] = destination;
    bounds[i * 2 + 1] = destination + 2 ** (32 - length);
  });
  bounds.set(IPV4_BOUNDS, prefixes.length * 2);
  return bounds.sort();
}

function ipv6Bounds(prefixes: readonly RoutePrefix<bigint>[]): Uint32Array {
  const bounds = new Set(IPV6_BOUNDS);
  for (const { destination, length } of prefixes) {
    bounds.add(destination);
    bounds.add(BigInt.asUintN(128, destination + (1n << BigInt(128 - length))));
  }
  const words = new Uint32Array(bounds.size * 4);
  const sorted = [...bounds].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  sorted.forEach((bound, i) => setBigint(words, i * 4, bound));
  return words;
}

type RoutedRun = Pick<WayRun, "count" | "route">;

interface Found {
  readonly runs: RoutedRun[];
  readonly broadcast: AddressCollector;
  readonly names: string[];
}

/** Asks once for each cell, and joins what takes the same route. Broadcast addresses are put aside. */
function routeFamily(
  family: AddressFamily,
  ranges: AddressRanges,
  bounds: Uint32Array,
  ways: WaysOut,
  { runs, broadcast, names }: Found,
): void {
  for (const { first, last, count } of cellsOf(ranges, bounds)) {
    const target = wordsOf(family, first);
    const stretch = (): string => formatStretch(family, target, wordsOf(family, last));
    const route = ways.routeOf(family, target, stretch);
    const previous = runs.at(-1);
    if (route === "broadcast") {
      // The kernel's local table has each broadcast address as a route of its own, so the cell is that address.
      names.push(stretch());
      (family === 4 ? broadcast.v4 : broadcast.v6).addWords(first, 0, last, 0);
    } else if (previous?.route === route) {
      runs[runs.length - 1] = { route, count: previous.count + count };
    } else {
      runs.push({ route, count });
    }
  }
}

function wordsOf(family: AddressFamily, address: Uint32Array): AddressWords {
  return family === 4 ? wordsOfIpv4(address[0] ?? 0) : wordsAt(address, 0);
}

/** Gives each run its place in the neighbour table: gateways first, one for each route, then hosts on the links. */
function placeHops(
  runs: readonly RoutedRun[],
  routes: readonly Route[],
): Pick<RoutedTargets, "ways" | "hopCount"> {
  let hopCount = 0;
  const hopOfRoute = routes.map(({ gateway }) => (gateway === undefined ? -1 : hopCount++));
  const gateways = hopCount;
  const placed = runs.map(({ count, route: number }): WayRun => {
    const route = routes[number];
    const gatewayHop = hopOfRoute[number] ?? -1;
    const onLink = route?.via === "frame" && gatewayHop < 0;
    const firstHop = onLink ? hopCount : gatewayHop;
    if (onLink) hopCount += count;
    if (hopCount - gateways > MAX_ON_LINK) throw linkTooLarge(route?.interfaceName ?? "");
    return { count, route: number, firstHop, hopStep: onLink ? 1 : 0 };
  });
  return { ways: newWayTable(placed), hopCount };
}

function tooManyStretches(): PortolanError {
  return new PortolanError(
    "TOO_MANY_ROUTES",
    `the targets lie in more than ${MAX_STRETCHES} separate stretches; scan fewer`,
  );
}

function linkTooLarge(interfaceName: string): UsageError {
  return new UsageError(
    "LINK_TOO_LARGE",
    `more than ${MAX_ON_LINK} of the targets are on the link of ${interfaceName} itself, where each must first be asked ` +
      "for its hardware address; scan fewer at a time",
  );
}
