/**
 * Where packets to each target leave: the targets, cut into segments that each take one route.
 *
 * Which address takes which route is the kernel's to say. Its tables and rules only tell where the answer may change;
 * between two such bounds one question answers for all. So policy rules, metrics and source selection are the kernel's own.
 */

import { PortolanError, UsageError } from "#shared/errors.ts";
import { type AddressSet, countAddresses } from "#shared/net/address-set.ts";
import { IPV4_SPACE } from "#shared/net/ipv4.ts";
import type { Range, Steps } from "#shared/net/range-algebra.ts";
import { type AddressFamily, type AddressWords, wordsOfIpv4, wordsOfIpv6 } from "../targets/address-words.ts";
import { MAX_PERMUTATION_SIZE } from "../targets/permutation.ts";
import { Netlink } from "./netlink.ts";
import type { RoutePrefix } from "./netlink-routes.ts";
import { appendPiece, cutAtBounds, type RoutedPiece, splitAtSubnets } from "./route-cuts.ts";
import type { RoutedTargets, RouteOptions, RouteSegment } from "./route-types.ts";
import { formatStretch, type RoutingTables, WaysOut } from "./ways-out.ts";

/** Targets in more pieces than this would cost more to route than to scan; no real table comes near. */
const MAX_SEGMENTS = 1_000_000;

/**
 * Hosts on the links themselves, each with a place in the neighbour table. Above it, finding out who is there would take
 * many minutes of broadcasts, and the kernel's own neighbour table, a thousand by default, would lose nearly all.
 */
const MAX_ON_LINK = 2 ** 20;

/** Where the kernel's answer changes although no table says so: 0.0.0.0, multicast, limited broadcast. */
const IPV4_BOUNDS = [0, 1, 0xe000_0000, 0xf000_0000, 0xffff_ffff];
/** ::, fe80::/10, ff00::/8 */
const IPV6_BOUNDS = [0n, 1n, 0xfe80n << 112n, 0xfec0n << 112n, 0xff00n << 112n];

const V4: Steps<number> = { next: (value) => value + 1, previous: (value) => value - 1 };
const V6: Steps<bigint> = { next: (value) => value + 1n, previous: (value) => value - 1n };

/**
 * Segments come IPv4 before IPv6, sorted; an IPv6 segment lies within one /64.
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
  const ways = new WaysOut(kernel, options);
  const broadcast: string[] = [];
  const v4 =
    targets.v4.length === 0
      ? []
      : routeFamily(4, targets.v4, ipv4Bounds(kernel.ipv4Prefixes()), V4, wordsOfIpv4, ways, broadcast);
  const v6 =
    targets.v6.length === 0
      ? []
      : routeFamily(6, targets.v6, ipv6Bounds(kernel.ipv6Prefixes()), V6, wordsOfIpv6, ways, broadcast);
  return { ...segmentsOf(v4, v6, ways), routes: ways.routes, broadcast };
}

/** Every address at which some prefix begins or has just ended, sorted. */
function ipv4Bounds(prefixes: readonly RoutePrefix<number>[]): Float64Array {
  const bounds = new Float64Array(prefixes.length * 2 + IPV4_BOUNDS.length);
  prefixes.forEach(({ destination, length }, i) => {
    bounds[i * 2] = destination;
    bounds[i * 2 + 1] = Math.min(destination + 2 ** (32 - length), IPV4_SPACE);
  });
  bounds.set(IPV4_BOUNDS, prefixes.length * 2);
  return bounds.sort();
}

function ipv6Bounds(prefixes: readonly RoutePrefix<bigint>[]): bigint[] {
  const bounds = new Set(IPV6_BOUNDS);
  for (const { destination, length } of prefixes) {
    bounds.add(destination);
    bounds.add(destination + (1n << BigInt(128 - length)));
  }
  return [...bounds].toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Asks once for each piece between two bounds, and joins what takes the same route. Broadcast addresses are put aside. */
function routeFamily<T extends number | bigint>(
  family: AddressFamily,
  ranges: readonly Range<T>[],
  bounds: ArrayLike<T>,
  steps: Steps<T>,
  wordsOf: (address: T) => AddressWords,
  ways: WaysOut,
  broadcast: string[],
): RoutedPiece<T>[] {
  const pieces: RoutedPiece<T>[] = [];
  let askedCell = -1;
  let route: number | "broadcast" = "broadcast";
  for (const { first, last, cell } of cutAtBounds(ranges, bounds, steps)) {
    const words = wordsOf(first);
    const stretch = (): string => formatStretch(family, words, wordsOf(last));
    if (cell !== askedCell) route = ways.routeOf(family, words, stretch);
    askedCell = cell;
    // The kernel's local table has each broadcast address as a route of its own, so the piece is that address.
    if (route === "broadcast") broadcast.push(stretch());
    else appendPiece(pieces, { first, last, route }, steps);
    if (pieces.length > MAX_SEGMENTS) throw tooManySegments();
  }
  return pieces;
}

/** Gives each segment its place in the neighbour table: gateways first, one for each route, then hosts on the links. */
function segmentsOf(
  v4: readonly RoutedPiece<number>[],
  v6: readonly RoutedPiece<bigint>[],
  ways: WaysOut,
): Pick<RoutedTargets, "segments" | "hopCount"> {
  let hopCount = 0;
  const hopOfRoute = ways.routes.map(({ gateway }) => (gateway === undefined ? -1 : hopCount++));
  const gateways = hopCount;
  const segments: RouteSegment[] = [];
  const add = (family: AddressFamily, first: AddressWords, count: number, number: number): void => {
    const route = ways.routes[number];
    const gatewayHop = hopOfRoute[number] ?? -1;
    const onLink = route?.via === "frame" && gatewayHop < 0;
    const firstHop = onLink ? hopCount : gatewayHop;
    segments.push({ family, first, count, route: number, firstHop, hopStep: onLink ? 1 : 0 });
    if (onLink) hopCount += count;
    if (segments.length > MAX_SEGMENTS) throw tooManySegments();
    if (hopCount - gateways > MAX_ON_LINK) throw linkTooLarge(route?.interfaceName ?? "");
  };
  for (const { first, last, route } of v4) add(4, wordsOfIpv4(first), last - first + 1, route);
  for (const { first, last, route } of v6) {
    for (const part of splitAtSubnets({ first, last })) {
      add(6, wordsOfIpv6(part.first), Number(part.last - part.first) + 1, route);
    }
  }
  return { segments, hopCount };
}

function tooManySegments(): PortolanError {
  return new PortolanError(
    "TOO_MANY_ROUTES",
    `the targets lie in more than ${MAX_SEGMENTS} separate stretches; scan fewer`,
  );
}

function linkTooLarge(interfaceName: string): UsageError {
  return new UsageError(
    "LINK_TOO_LARGE",
    `more than ${MAX_ON_LINK} of the targets are on the link of ${interfaceName} itself, where each must first be asked ` +
      "for its hardware address; scan fewer at a time",
  );
}
