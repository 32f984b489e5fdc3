/** Reading the table of next hops that `neighbours.ts` fills in. */

import type { NeighbourTable } from "./route-types.ts";
import { firstOwnHop, runOfNumber, type WayTable } from "./way-table.ts";

/** Everybody who answers has been heard. */
export function isTableReady({ ready }: NeighbourTable): boolean {
  return Atomics.load(ready, 0) === 1;
}

/** Nobody else will be heard, whether all were asked or the search was ended early. */
export function isSearchOver({ ready }: NeighbourTable): boolean {
  return Atomics.load(ready, 0) !== 0;
}

export function hasMac({ macHigh, macLow }: NeighbourTable, hop: number): boolean {
  return (macHigh[hop] ?? 0) !== 0 || (macLow[hop] ?? 0) !== 0;
}

/** Upper 16 and lower 32 bits. */
export function macOfHop(
  table: NeighbourTable,
  hop: number,
): { readonly macHigh: number; readonly macLow: number } | undefined {
  if (!hasMac(table, hop)) return undefined;
  return { macHigh: table.macHigh[hop] ?? 0, macLow: table.macLow[hop] ?? 0 };
}

/** Addresses on a local link that did not answer. None as long as they were not all asked. */
export function countAbsent(ways: WayTable, table: NeighbourTable): number {
  if (!isTableReady(table)) return 0;
  let absent = 0;
  for (let run = 0; run < ways.routes.length; run++) {
    const firstHop = firstOwnHop(ways, run);
    if (firstHop < 0) continue;
    const count = (ways.offsets[run + 1] ?? 0) - (ways.offsets[run] ?? 0);
    for (let n = 0; n < count; n++) if (!hasMac(table, firstHop + n)) absent++;
  }
  return absent;
}

/** The entry of an address that has its own, because it is on a local link; -1 for all others. */
export function ownHop(ways: WayTable, addressNumber: number): number {
  const run = runOfNumber(ways, addressNumber);
  const firstHop = firstOwnHop(ways, run);
  return firstHop < 0 ? -1 : firstHop + addressNumber - (ways.offsets[run] ?? 0);
}
