/**
 * The way of each target, in shared memory. Targets with consecutive numbers that take one route are one run, so a list of
 * a million targets behind one gateway has one entry.
 */

import { addressAfter } from "../targets/address-words.ts";
import { type AddressStretch, stretchAt, type Stretches, stretchOfNumber } from "../targets/stretches.ts";

/** Targets with consecutive numbers that take one route. */
export interface WayRun {
  readonly count: number;
  /** Place in the list of routes. */
  readonly route: number;
  /** First entry in the neighbour table, and whether each address has its own (1) or all share the gateway's (0); -1 where the kernel routes. */
  readonly firstHop: number;
  readonly hopStep: 0 | 1;
}

/** By run, in the order of address numbers. */
export interface WayTable {
  /** Addresses in all runs before this one; one more entry holds the total. */
  readonly offsets: Float64Array;
  readonly routes: Int32Array;
  readonly firstHops: Int32Array;
  readonly hopSteps: Uint8Array;
}

export function newWayTable(runs: readonly WayRun[]): WayTable {
  const ways = {
    offsets: new Float64Array(new SharedArrayBuffer((runs.length + 1) * 8)),
    routes: new Int32Array(new SharedArrayBuffer(runs.length * 4)),
    firstHops: new Int32Array(new SharedArrayBuffer(runs.length * 4)),
    hopSteps: new Uint8Array(new SharedArrayBuffer(runs.length)),
  };
  runs.forEach(({ count, route, firstHop, hopStep }, run) => {
    ways.offsets[run + 1] = (ways.offsets[run] ?? 0) + count;
    ways.routes[run] = route;
    ways.firstHops[run] = firstHop;
    ways.hopSteps[run] = hopStep;
  });
  return ways;
}

/** The run that holds address number `n`. */
export function runOfNumber({ offsets }: WayTable, n: number): number {
  return stretchOfNumber(offsets, n);
}

/** The first entry of a run whose addresses have entries of their own, being on a local link; -1 for all others. */
export function firstOwnHop({ firstHops, hopSteps }: WayTable, run: number): number {
  return hopSteps[run] === 1 ? (firstHops[run] ?? -1) : -1;
}

/** Targets that lie together and take one route. */
export interface RouteSegment extends AddressStretch, WayRun {}

/** The stretches of a run, one after the other, so that nobody holds all of them at once. */
export function* segmentsOf(ways: WayTable, stretches: Stretches, run: number): Generator<RouteSegment> {
  const { offsets } = stretches;
  const end = ways.offsets[run + 1] ?? 0;
  const runStart = ways.offsets[run] ?? 0;
  const hopStep = ways.hopSteps[run] === 1 ? 1 : 0;
  const firstHop = ways.firstHops[run] ?? -1;
  for (let start = runStart; start < end;) {
    const stretch = stretchOfNumber(offsets, start);
    const { family, first } = stretchAt(stretches, stretch);
    const count = Math.min(end, offsets[stretch + 1] ?? 0) - start;
    yield {
      family,
      first: addressAfter(first, start - (offsets[stretch] ?? 0)),
      count,
      route: ways.routes[run] ?? 0,
      firstHop: firstHop + (start - runStart) * hopStep,
      hopStep,
    };
    start += count;
  }
}
