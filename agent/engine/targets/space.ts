/**
 * The probe space: every address with every port, numbered from 0. Index = address number × ports + port number,
 * where addresses are numbered along the sorted ranges. Both ways, because replies name an address and a port.
 */

import { UsageError } from "#shared/errors.ts";
import { countRanges, type NumberRange } from "#shared/net/ranges.ts";
import { MAX_PERMUTATION_SIZE } from "./permutation.ts";

export interface ProbeSpace {
  /** First address of each range, and the number of addresses in all ranges before it; the latter ends with the total. */
  readonly starts: Float64Array;
  readonly offsets: Float64Array;
  readonly ports: Uint16Array;
  /** Port → its number in `ports`, -1 where it is not scanned. */
  readonly portNumbers: Int32Array;
  readonly addressCount: number;
  readonly size: number;
}

/**
 * @param addresses sorted and disjoint
 * @param ports sorted and disjoint
 * @throws UsageError NOTHING_TO_SCAN or SCOPE_TOO_LARGE
 */
export function buildSpace(addresses: readonly NumberRange[], ports: readonly NumberRange[]): ProbeSpace {
  const addressCount = countRanges(addresses);
  const portCount = countRanges(ports);
  const size = addressCount * portCount;
  if (size === 0) throw new UsageError("NOTHING_TO_SCAN", "no address or no port is left to scan");
  if (size > MAX_PERMUTATION_SIZE) {
    throw new UsageError(
      "SCOPE_TOO_LARGE",
      `${size} probes are more than 2^48; scan fewer addresses or ports`,
    );
  }
  const { starts, offsets } = numberRanges(addresses);
  const portList = new Uint16Array(portCount);
  const portNumbers = new Int32Array(65_536).fill(-1);
  let next = 0;
  for (const { first, last } of ports) {
    for (let port = first; port <= last; port++) {
      portNumbers[port] = next;
      portList[next++] = port;
    }
  }
  return { starts, offsets, ports: portList, portNumbers, addressCount, size };
}

/** Numbers addresses along sorted, disjoint ranges: the first of each range, and how many lie before it. */
export function numberRanges(ranges: readonly NumberRange[]): {
  starts: Float64Array;
  offsets: Float64Array;
} {
  const starts = new Float64Array(ranges.length);
  const offsets = new Float64Array(ranges.length + 1);
  let total = 0;
  ranges.forEach(({ first, last }, i) => {
    starts[i] = first;
    offsets[i] = total;
    total += last - first + 1;
  });
  offsets[ranges.length] = total;
  return { starts, offsets };
}

/** The range that holds address number `n`: the greatest i with offsets[i] ≤ n. */
export function rangeOfNumber(offsets: Float64Array, n: number): number {
  let low = 0;
  let high = offsets.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((offsets[middle] ?? 0) <= n) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The number of `address` along the ranges, or -1 where it is not in the space. */
export function numberOfAddress(starts: Float64Array, offsets: Float64Array, address: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? 0) <= address) low = middle;
    else high = middle - 1;
  }
  const within = address - (starts[low] ?? 0);
  const before = offsets[low] ?? 0;
  return within >= 0 && before + within < (offsets[low + 1] ?? 0) ? before + within : -1;
}

/** The probe's index, or -1 where this address and port are not in the space. */
export function probeIndex(space: ProbeSpace, address: number, port: number): number {
  const portNumber = space.portNumbers[port] ?? -1;
  if (portNumber < 0) return -1;
  const number = numberOfAddress(space.starts, space.offsets, address);
  return number < 0 ? -1 : number * space.ports.length + portNumber;
}

/** Address of address number `n`. */
export function addressOfNumber(space: ProbeSpace, n: number): number {
  const range = rangeOfNumber(space.offsets, n);
  return (space.starts[range] ?? 0) + n - (space.offsets[range] ?? 0);
}
