/**
 * What the threads of one scan tell each other while it runs: a few words of shared memory, no messages.
 * Each counter has one writer, so plain stores suffice; the flags go through Atomics because threads sleep on them.
 */

/** Flags: places in `ControlBlock.flags`. */
export const STOP = 0;
/** Main's word that no canary will be asked for any more, so that the first sender may end. */
export const CANARIES_OVER = 1;
/** The present period of the rate search; soundings sent in it use a port of their own. */
export const SOUNDING_EPOCH = 2;
/** 1 while the rate is searched for, so that soundings are worth sending. */
export const SOUNDING = 3;
/** The newest window: answers to it and to the one before count. The first sender says it, and the next too. */
export const WINDOW = 4;
/** The window that may be sent: what its bits held before is forgotten by then. */
export const WINDOW_OPEN = 5;
const FLAG_COUNT = 6;

/** Values of STOP. The senders obey any; the receiver listens until it is told to finish. */
export const RUN = 0;
export const STOP_SENDING = 1;
export const FINISH = 2;

/** The most passes a scan may have; counters by pass have room for these. */
export const MAX_PASSES = 11;
/** Epochs of the rate search that are told apart, because answers come late. */
export const SOUNDING_EPOCHS = 4;

/** Counters of the whole scan: places in `ControlBlock.counters`. RATE_PPS is main's, the others are the receiver's. */
export const RATE_PPS = 0;
export const PACKETS_RECEIVED = 1;
export const PACKETS_REJECTED = 2;
export const DUPLICATES = 3;
export const KERNEL_DROPS = 4;
export const OPEN = 5;
export const CLOSED = 6;
/** Ports that an ICMP error, not silence, tells to be filtered. */
export const FILTERED_BY_ANSWER = 7;
/** Open TCP ports, and TCP ports that answered at all, by the pass whose probe was answered. */
export const OPEN_BY_PASS = 8;
export const ANSWERS_BY_PASS = OPEN_BY_PASS + MAX_PASSES;
export const SOUNDINGS_ANSWERED = ANSWERS_BY_PASS + MAX_PASSES;
const COUNTER_COUNT = SOUNDINGS_ANSWERED + SOUNDING_EPOCHS;

/** Counters of each sender: places within its part of `ControlBlock.lanes`. */
export const PACKETS_SENT = 0;
/** Which pass it is sending, from 1. */
export const PASS = 1;
/** Positions of the first pass that are done with: sent, or known to need no probe. */
export const POSITION = 2;
/** Windows that a sender is done with; the first sender waits for the others. */
export const WINDOWS_DONE = 3;
/** The window that it is in. */
export const LANE_WINDOW = 4;
/** Probes of the first pass that the kernel refused to send. */
export const REFUSED_FIRST_PASS = 5;
/** Where to begin again when the scan is stopped now: positions of the present pass whose answers can have come. */
export const RESUME_POSITION = 6;
/** 1 when all passes are sent and their answers awaited. */
export const PASSES_DONE = 7;
export const SEND_ERRORS = 8;
export const SOUNDINGS_SENT = 9;
const LANE_COUNTERS = SOUNDINGS_SENT + SOUNDING_EPOCHS;

export interface ControlBlock {
  readonly flags: Int32Array;
  readonly counters: Float64Array;
  readonly lanes: Float64Array;
}

export function newControlBlock(ratePps: number, lanes: number): ControlBlock {
  const block = {
    flags: new Int32Array(new SharedArrayBuffer(FLAG_COUNT * 4)),
    counters: new Float64Array(new SharedArrayBuffer(COUNTER_COUNT * 8)),
    lanes: new Float64Array(new SharedArrayBuffer(lanes * LANE_COUNTERS * 8)),
  };
  block.counters[RATE_PPS] = ratePps;
  return block;
}

export function counter(block: ControlBlock, place: number): number {
  return block.counters[place] ?? 0;
}

export function addTo(block: ControlBlock, place: number, amount: number): void {
  block.counters[place] = counter(block, place) + amount;
}

export function laneCounter(block: ControlBlock, lane: number, place: number): number {
  return block.lanes[lane * LANE_COUNTERS + place] ?? 0;
}

export function setLane(block: ControlBlock, lane: number, place: number, value: number): void {
  block.lanes[lane * LANE_COUNTERS + place] = value;
}

export function addToLane(block: ControlBlock, lane: number, place: number, amount: number): void {
  setLane(block, lane, place, laneCounter(block, lane, place) + amount);
}

export function laneCount(block: ControlBlock): number {
  return block.lanes.length / LANE_COUNTERS;
}

export function sumOfLanes(block: ControlBlock, place: number): number {
  let sum = 0;
  for (let lane = 0; lane < laneCount(block); lane++) sum += laneCounter(block, lane, place);
  return sum;
}

export function setFlag(block: ControlBlock, place: number, value: number): void {
  Atomics.store(block.flags, place, value);
  Atomics.notify(block.flags, place);
}

export function flag(block: ControlBlock, place: number): number {
  return Atomics.load(block.flags, place);
}

/** Sleeps up to `ms`, and wakes at once when the scan is told to stop. Not for the main thread. */
export function sleepUnlessStopped(block: ControlBlock, ms: number): void {
  if (ms > 0) Atomics.wait(block.flags, STOP, RUN, ms);
}
