/** Pages of a list: one row more than asked for is read, which tells whether there is a next page. */

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** Id of the last row when more follow. */
  readonly nextCursor: number | null;
}

/** @param rows up to `limit` + 1 */
export function pageOf<Row extends { readonly id: number }>(rows: readonly Row[], limit: number): Page<Row> {
  const page = rows.slice(0, limit);
  return { rows: page, nextCursor: rows.length > limit ? (page.at(-1)?.id ?? null) : null };
}
