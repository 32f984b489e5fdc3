/** Goes through a list whose pages name only the one after: the way back is remembered here. */

/** Whatever the server names the next page by. */
type Cursor = number | string;

export interface PagePosition {
  readonly cursor: Cursor | undefined;
  /** Cursors of the pages before this one, first to last. */
  readonly before: readonly (Cursor | undefined)[];
}

export const FIRST_PAGE: PagePosition = { cursor: undefined, before: [] };

export interface PagerProps {
  readonly position: PagePosition;
  readonly nextCursor: Cursor | null;
  readonly onMove: (position: PagePosition) => void;
}

export function Pager({ position: { cursor, before }, nextCursor, onMove }: PagerProps) {
  if (before.length === 0 && nextCursor === null) return null;
  const goBack = (): void => onMove({ cursor: before.at(-1), before: before.slice(0, -1) });
  const goOn = (): void => onMove({ cursor: nextCursor ?? undefined, before: [...before, cursor] });
  return (
    <nav class="pager" aria-label="Pages of the list">
      <button type="button" disabled={before.length === 0} onClick={goBack}>
        Previous
      </button>
      <span>Page {before.length + 1}</span>
      <button type="button" disabled={nextCursor === null} onClick={goOn}>
        Next
      </button>
    </nav>
  );
}
