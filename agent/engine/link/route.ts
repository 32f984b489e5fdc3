/**
 * Where packets to each target leave: the targets, cut into stretches that share interface, source and next hop.
 *
 * Which address takes which route is the kernel's to say. Its tables only tell where the answer may change; between
 * two such bounds one question answers for all. So policy rules, metrics and source selection are the kernel's own.
 */

import { PortolanError } from "#shared/errors.ts";
import { formatAddressRange } from "#shared/net/target-spec.ts";
import { IPV4_SPACE } from "#shared/net/ipv4.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import { ARPHRD_ETHER, type LinkInfo, Netlink } from "./netlink.ts";

export interface RouteSegment extends NumberRange {
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** Our address towards these targets. */
  readonly source: number;
  /** `raw`: the kernel routes each packet. `packet`: we write Ethernet frames to `gateway`, or to the host itself. */
  readonly via: "raw" | "packet";
  readonly gateway: number | undefined;
  /** Our hardware address; empty with `raw`. */
  readonly mac: Uint8Array;
}

/** A range of more stretches than this would cost more to route than to scan; no real table comes near. */
const MAX_SEGMENTS = 1_000_000;

export interface RoutedTargets {
  readonly segments: readonly RouteSegment[];
  /** Broadcast addresses among the targets. They are in no segment: a probe to one would reach every host. */
  readonly broadcast: readonly number[];
}

/**
 * @param ranges sorted and disjoint
 * @param forceRaw let the kernel route every packet
 * @throws PortolanError NO_ROUTE naming the first stretch that cannot be reached
 */
export function routeTargets(ranges: readonly NumberRange[], forceRaw: boolean): RoutedTargets {
  const netlink = new Netlink();
  try {
    const links = new Map(netlink.links().map((link) => [link.index, link]));
    const bounds = routeBounds(netlink);
    const segments: RouteSegment[] = [];
    const broadcast: number[] = [];
    for (const range of ranges) {
      for (const piece of cutAt(range, bounds)) {
        if (segments.length >= MAX_SEGMENTS) {
          throw new PortolanError("TOO_MANY_ROUTES", "the targets touch more than a million routes");
        }
        const segment = segmentFor(netlink, links, piece, forceRaw);
        // The kernel's local table has each broadcast address as a route of its own, so the piece is that address.
        if (segment === undefined) broadcast.push(piece.first);
        else addSegment(segments, segment);
      }
    }
    return { segments, broadcast };
  } finally {
    netlink.close();
  }
}

/** Every address at which some routing prefix begins or has just ended, sorted. */
function routeBounds(netlink: Netlink): number[] {
  const bounds = new Set<number>();
  for (const { destination, length } of netlink.routePrefixes()) {
    bounds.add(destination);
    const end = destination + 2 ** (32 - length);
    if (end < IPV4_SPACE) bounds.add(end);
  }
  return [...bounds].toSorted((a, b) => a - b);
}

function cutAt(range: NumberRange, bounds: readonly number[]): NumberRange[] {
  const inside = bounds.filter((bound) => bound > range.first && bound <= range.last);
  const starts = [range.first, ...inside];
  return starts.map((first, i) => ({ first, last: (starts[i + 1] ?? range.last + 1) - 1 }));
}

/** Undefined for a broadcast address. */
function segmentFor(
  netlink: Netlink,
  links: ReadonlyMap<number, LinkInfo>,
  piece: NumberRange,
  forceRaw: boolean,
): RouteSegment | undefined {
  const route = netlink.routeTo(piece.first);
  const link = route === undefined ? undefined : links.get(route.linkIndex);
  if (route === undefined || link === undefined) {
    throw new PortolanError("NO_ROUTE", `no route to ${formatAddressRange(piece)} from this host`);
  }
  if (route.broadcast) return undefined;
  const ethernet = link.type === ARPHRD_ETHER && !link.noArp && link.mac.length === 6;
  return {
    ...piece,
    interfaceName: link.name,
    interfaceIndex: link.index,
    source: route.source,
    via: ethernet && !forceRaw ? "packet" : "raw",
    gateway: route.gateway,
    mac: ethernet ? link.mac : new Uint8Array(0),
  };
}

/** Appends, or stretches the last segment where nothing differs. */
function addSegment(segments: RouteSegment[], segment: RouteSegment): void {
  const previous = segments.at(-1);
  const same =
    previous !== undefined &&
    previous.last + 1 === segment.first &&
    previous.interfaceIndex === segment.interfaceIndex &&
    previous.source === segment.source &&
    previous.gateway === segment.gateway;
  if (same) segments[segments.length - 1] = { ...previous, last: segment.last };
  else segments.push(segment);
}
