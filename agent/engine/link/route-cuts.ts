/**
 * Cuts ranges of addresses where routing may change. Pure, and once for both kinds of number: IPv4 addresses are
 * numbers, IPv6 addresses bigints. Which route a piece takes is asked in `ways-out.ts`.
 */

import type { Range, Steps } from "#shared/net/range-algebra.ts";

type Int = number | bigint;

/** Part of a range that lies between two bounds. */
export interface Piece<T extends Int> extends Range<T> {
  /** Pieces with the same number lie between the same two bounds, so they share a route. */
  readonly cell: number;
}

/**
 * Each range, cut before each bound inside it. One sweep over both.
 * @param ranges sorted and disjoint
 * @param bounds sorted; doubles do no harm
 */
export function* cutAtBounds<T extends Int>(
  ranges: readonly Range<T>[],
  bounds: ArrayLike<T>,
  { previous }: Pick<Steps<T>, "previous">,
): Generator<Piece<T>> {
  let cell = 0;
  for (const { first: start, last } of ranges) {
    let first = start;
    for (;;) {
      let bound = bounds[cell];
      while (bound !== undefined && bound <= first) bound = bounds[++cell];
      if (bound === undefined || bound > last) break;
      yield { first, last: previous(bound), cell };
      first = bound;
    }
    yield { first, last, cell };
  }
}

/** A stretch of addresses that takes one route, given by its number. */
export interface RoutedPiece<T extends Int> extends Range<T> {
  readonly route: number;
}

/** Appends, or lengthens the last piece where the new one follows on it and takes the same route. */
export function appendPiece<T extends Int>(
  pieces: RoutedPiece<T>[],
  piece: RoutedPiece<T>,
  { next }: Pick<Steps<T>, "next">,
): void {
  const last = pieces.at(-1);
  const joins = last !== undefined && last.route === piece.route && next(last.last) === piece.first;
  if (joins) pieces[pieces.length - 1] = { ...last, last: piece.last };
  else pieces.push(piece);
}

const SUBNET_BITS = 64n;

/** The range, cut where one IPv6 /64 ends and the next begins. */
export function* splitAtSubnets({ first, last }: Range<bigint>): Generator<Range<bigint>> {
  let from = first;
  while (from <= last) {
    const end = ((from >> SUBNET_BITS) << SUBNET_BITS) + (1n << SUBNET_BITS) - 1n;
    yield { first: from, last: end < last ? end : last };
    from = end + 1n;
  }
}
