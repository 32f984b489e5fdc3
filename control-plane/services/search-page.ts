/**
 * Pages of endpoints under a filter. It may fit few of millions, and an index for each filter would cost more than half
 * of the speed at which results come in. So rows are looked through in their order, part by part, and a page ends when
 * it is full or when it has taken long enough: then it is short, and names where the next one begins.
 */

import type { Clock } from "#shared/clock.ts";
import { type EndpointKey, formatKey, type PortKey, PROTOCOL_CODES } from "../store/endpoint-key.ts";
import type { PortWindow } from "../store/key-window.ts";

/** A page that has looked for this long ends. */
export const PAGE_TIME_MS = 500;
/**
 * Rows that a filter is tried on before the time is looked at: few at first, since most filters fit many rows, and more
 * as long as they take little time, which depends on whether the database has them in memory.
 */
const FIRST_PART = 10_000;
const LARGEST_PART = 200_000;
const GROWTH = 3;
const QUICK_PART_MS = 60;

/** Nothing is before it, and nothing is at it: no result has the address 0.0.0.0. */
export const BEFORE_ALL: PortKey = { address: new Uint8Array(4), protocol: PROTOCOL_CODES.tcp, port: 0 };

/** Rows of one vantage point. */
export interface SearchedRows<Row> {
  /** Those that fit, in their order. */
  list(vantageId: number, window: PortWindow, limit: number): Promise<Row[]>;
  /** The port of the row, fitting or not, that lies so many rows after this one; undefined where there are fewer. */
  portAfter(vantageId: number, after: PortKey | undefined, rows: number): Promise<PortKey | undefined>;
}

export interface SearchedPage<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

/** @param vantageIds in their order */
export async function searchPage<Row extends EndpointKey>(
  clock: Clock,
  limit: number,
  start: EndpointKey | undefined,
  vantageIds: readonly number[],
  search: SearchedRows<Row>,
): Promise<SearchedPage<Row>> {
  const endMs = clock.monotonicMs() + PAGE_TIME_MS;
  const rows: Row[] = [];
  let part = FIRST_PART;
  const left = vantageIds.filter((id) => start === undefined || id >= start.vantage_id);
  for (const [index, vantageId] of left.entries()) {
    let after: PortKey | undefined = vantageId === start?.vantage_id ? start : undefined;
    for (;;) {
      const startMs = clock.monotonicMs();
      const upTo = await search.portAfter(vantageId, after, part);
      rows.push(...(await search.list(vantageId, { after, upTo }, limit + 1 - rows.length)));
      if (rows.length > limit) return fullPage(rows, limit);
      const place = upTo === undefined ? nextPlace(left[index + 1]) : { ...upTo, vantage_id: vantageId };
      if (place === undefined) return { rows, nextCursor: null };
      if (clock.monotonicMs() >= endMs) return { rows, nextCursor: formatKey(place) };
      if (upTo === undefined) break;
      after = upTo;
      if (clock.monotonicMs() - startMs < QUICK_PART_MS) part = Math.min(part * GROWTH, LARGEST_PART);
    }
  }
  return { rows, nextCursor: null };
}

function nextPlace(vantageId: number | undefined): EndpointKey | undefined {
  return vantageId === undefined ? undefined : { ...BEFORE_ALL, vantage_id: vantageId };
}

/** @param rows up to `limit` + 1 */
export function fullPage<Row extends EndpointKey>(rows: readonly Row[], limit: number): SearchedPage<Row> {
  const last = rows[limit - 1];
  const hasMore = rows.length > limit && last !== undefined;
  return { rows: rows.slice(0, limit), nextCursor: hasMore ? formatKey(last) : null };
}
