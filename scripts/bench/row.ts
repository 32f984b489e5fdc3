/** One line of the table, and of dist/bench.json. */

export interface Row {
  /** What was measured. */
  readonly figure: string;
  /** Of which program. */
  readonly tool: string;
  readonly value: string;
  readonly note: string;
  /** Whether the project's target was met; undefined where there is none, as for peers. */
  readonly met?: boolean | undefined;
}

/** The middle one; of an even number, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  if (middle === undefined) throw new Error("no values to take the median of");
  return middle;
}

export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map(({ figure, tool, value, note, met }) => [
    met === false ? "MISSED" : met === true ? "ok" : "",
    figure,
    tool,
    value,
    note,
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}
