/**
 * Pages of endpoints under a filter. It may fit few of millions, and an index for each filter would cost more than half
 * of the speed at which results come in. So rows are looked through in their order, part by part, and a page ends when
 * it is full or when it has taken long enough: then it is short, and names where the next one begins.
 */

import type { Clock } from "#shared/clock.ts";
import { type EndpointKey, formatKey } from "../store/endpoint-key.ts";

/** A page that has looked for this long ends. */
export const PAGE_TIME_MS = 500;
/** Rows that a filter is tried on before the time is looked at: few at first, since most filters fit many rows. */
const FIRST_PART = 20_000;
const LARGEST_PART = 500_000;
const GROWTH = 5;

export interface KeyWindow {
  readonly after?: EndpointKey | undefined;
  /** Belongs to it. */
  readonly upTo?: EndpointKey | undefined;
}

export interface SearchedRows<Row> {
  /** Rows that fit, in their order. */
  list(window: KeyWindow, limit: number): Promise<Row[]>;
  /** The key of the row, fitting or not, that lies so many rows after the key; undefined where there are fewer. */
  keyAfter(after: EndpointKey | undefined, rows: number): Promise<EndpointKey | undefined>;
}

export interface SearchedPage<Row> {
  readonly rows: readonly Row[];
  readonly nextCursor: string | null;
}

export async function searchPage<Row extends EndpointKey>(
  clock: Clock,
  limit: number,
  start: EndpointKey | undefined,
  search: SearchedRows<Row>,
): Promise<SearchedPage<Row>> {
  const endMs = clock.monotonicMs() + PAGE_TIME_MS;
  const rows: Row[] = [];
  let after = start;
  for (let part = FIRST_PART; ; part = Math.min(part * GROWTH, LARGEST_PART)) {
    const upTo = await search.keyAfter(after, part);
    rows.push(...(await search.list({ after, upTo }, limit + 1 - rows.length)));
    if (rows.length > limit || upTo === undefined) return fullPage(rows, limit);
    if (clock.monotonicMs() >= endMs) return { rows, nextCursor: formatKey(upTo) };
    after = upTo;
  }
}

/** @param rows up to `limit` + 1 */
export function fullPage<Row extends EndpointKey>(rows: readonly Row[], limit: number): SearchedPage<Row> {
  const last = rows[limit - 1];
  const hasMore = rows.length > limit && last !== undefined;
  return { rows: rows.slice(0, limit), nextCursor: hasMore ? formatKey(last) : null };
}
