/**
 * The way of each stretch of targets, in shared memory: a list of targets may have a million stretches, and every thread
 * looks there. Stretches are numbered as in the probe space.
 */

import type { AddressStretch, ProbeSpace } from "../targets/space.ts";
import { stretchAt } from "../targets/space.ts";
import type { RouteSegment } from "./route-types.ts";

export interface WayTable {
  /** Place in the list of routes. */
  readonly routes: Int32Array;
  /** First entry in the neighbour table; -1 where the kernel routes. */
  readonly firstHops: Int32Array;
  /** 1 where each address has an entry of its own, 0 where all share the gateway's. */
  readonly hopSteps: Uint8Array;
}

export function newWayTable(segments: readonly Omit<RouteSegment, keyof AddressStretch>[]): WayTable {
  const count = segments.length;
  const ways = {
    routes: new Int32Array(new SharedArrayBuffer(count * 4)),
    firstHops: new Int32Array(new SharedArrayBuffer(count * 4)),
    hopSteps: new Uint8Array(new SharedArrayBuffer(count)),
  };
  segments.forEach(({ route, firstHop, hopStep }, stretch) => {
    ways.routes[stretch] = route;
    ways.firstHops[stretch] = firstHop;
    ways.hopSteps[stretch] = hopStep;
  });
  return ways;
}

/** One after the other as routing had them, so that nobody holds all of them at once. */
export function* eachSegment(ways: WayTable, space: ProbeSpace): Generator<RouteSegment> {
  for (let stretch = 0; stretch < ways.routes.length; stretch++) {
    yield {
      ...stretchAt(space, stretch),
      route: ways.routes[stretch] ?? 0,
      firstHop: ways.firstHops[stretch] ?? -1,
      hopStep: ways.hopSteps[stretch] === 1 ? 1 : 0,
    };
  }
}

/** The first entry of a stretch whose addresses have entries of their own, being on a local link; -1 for all others. */
export function firstOwnHop({ firstHops, hopSteps }: WayTable, stretch: number): number {
  return hopSteps[stretch] === 1 ? (firstHops[stretch] ?? -1) : -1;
}
