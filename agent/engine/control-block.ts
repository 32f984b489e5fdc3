/**
 * What the threads of one scan tell each other while it runs: a few words of shared memory, no messages.
 * Each counter has one writer, so plain stores suffice; the flags go through Atomics because threads sleep on them.
 */

/** Flags: places in `ControlBlock.flags`. */
export const STOP = 0;
/** Which pass is being sent, from 1. */
export const PASS = 1;
const FLAG_COUNT = 2;

/** Values of STOP. The sender obeys any; the receiver listens until it is told to finish. */
export const RUN = 0;
export const STOP_SENDING = 1;
export const FINISH = 2;

/** Counters: places in `ControlBlock.counters`. Written by main, by the sender, by the receiver, in this order. */
export const RATE_PPS = 0;
export const PACKETS_SENT = 1;
/** Positions of the first pass that are done with: sent, or known to need no probe. */
export const POSITION = 2;
export const SEND_ERRORS = 3;
export const HOSTS_UNREACHABLE = 4;
/** Probes of the first pass that the kernel refused to send. */
export const REFUSED_FIRST_PASS = 5;
export const PACKETS_RECEIVED = 6;
export const PACKETS_REJECTED = 7;
export const DUPLICATES = 8;
export const KERNEL_DROPS = 9;
export const OPEN = 10;
export const CLOSED = 11;
/** Ports that an ICMP error, not silence, tells to be filtered. */
export const FILTERED_BY_ANSWER = 12;
const COUNTER_COUNT = 13;

export interface ControlBlock {
  readonly flags: Int32Array;
  readonly counters: Float64Array;
}

export function newControlBlock(ratePps: number): ControlBlock {
  const block = {
    flags: new Int32Array(new SharedArrayBuffer(FLAG_COUNT * 4)),
    counters: new Float64Array(new SharedArrayBuffer(COUNTER_COUNT * 8)),
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
