/**
 * Who sends what: the whole order is cut into shards (every n-th position), a shard into windows (consecutive positions of
 * the shard), a window into lanes (every m-th of them, one lane a sender). Every position belongs to exactly one lane of
 * one window of one shard. Pure arithmetic, exact below 2⁵³.
 */

export interface Sharded {
  readonly permutation: { readonly size: number };
  /** Number from 0, and how many shards there are. */
  readonly shard: { readonly index: number; readonly count: number };
  readonly answered: { readonly windowSize: number };
}

/** The j-th position of a lane, for j below count: in the whole order, and its bit in the answered set. */
export interface LaneWindow {
  readonly count: number;
  /** The position in the whole order is firstPosition + j × step. */
  readonly firstPosition: number;
  readonly step: number;
  /** The bit is firstBit + j × bitStep. */
  readonly firstBit: number;
  readonly bitStep: number;
}

/** Positions of a shard. */
export function shardSize(size: number, { index, count }: Sharded["shard"]): number {
  return index < size ? Math.ceil((size - index) / count) : 0;
}

/** @param windowBit the first bit of the window in the answered set */
export function laneWindow(
  { permutation, shard, answered }: Sharded,
  window: number,
  windowBit: number,
  lane: number,
  lanes: number,
): LaneWindow {
  const start = window * answered.windowSize;
  const length = Math.max(0, Math.min(answered.windowSize, shardSize(permutation.size, shard) - start));
  return {
    count: lane < length ? Math.ceil((length - lane) / lanes) : 0,
    firstPosition: shard.index + shard.count * (start + lane),
    step: shard.count * lanes,
    firstBit: windowBit + lane,
    bitStep: lanes,
  };
}

/** Positions of a lane in all windows before `window`. */
export function positionsBefore(sharded: Sharded, window: number, lane: number, lanes: number): number {
  // Every window but the last is whole.
  return window === 0 ? 0 : window * laneWindow(sharded, 0, 0, lane, lanes).count;
}

/** The shard's own number of a position of the whole order, or -1 where it belongs to another shard. */
export function positionInShard(position: number, { index, count }: Sharded["shard"]): number {
  if (count === 1) return position;
  const within = (position - index) / count;
  return within >= 0 && Number.isInteger(within) ? within : -1;
}
