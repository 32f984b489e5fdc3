/**
 * Found ports on their way from a Worker to the main thread: a ring in shared memory with one writer and one reader.
 * A message costs a hundred times more. When the ring is full the writer waits; nothing is ever dropped here.
 */

import { formatIpv4 } from "#shared/net/ipv4.ts";
import type { PortState } from "#shared/protocol/fields.ts";
import type { PortResult } from "#shared/protocol/job.ts";
import { REASON_NAMES, type ReasonName } from "./packet/reply.ts";

const SLOTS = 2 ** 16;
/** Address, port, reason and ttl, padding; then the time as float64. */
const WORDS = 6;
const HEAD = 0;
const TAIL = 1;

export interface RecordRing {
  /** [written, read], both counting on and wrapping at 2³². */
  readonly cursors: Int32Array;
  readonly words: Int32Array;
  readonly times: Float64Array;
}

export interface PortRecord {
  readonly address: number;
  readonly port: number;
  readonly reason: ReasonName;
  readonly ttl: number;
  /** Wall clock, milliseconds. */
  readonly timeMs: number;
}

export function newRecordRing(): RecordRing {
  return {
    cursors: new Int32Array(new SharedArrayBuffer(8)),
    words: new Int32Array(new SharedArrayBuffer(SLOTS * WORDS * 4)),
    times: new Float64Array(new SharedArrayBuffer(SLOTS * 8)),
  };
}

/** What a reason says of the port. */
export function stateOfReason(reason: ReasonName): PortState {
  return reason === "syn-ack" ? "open" : reason === "reset" ? "closed" : "filtered";
}

/** The record as it goes over the wire and to standard output. */
export function toPortResult({ address, port, reason, ttl, timeMs }: PortRecord): PortResult {
  return {
    address: formatIpv4(address),
    port,
    protocol: "tcp",
    state: stateOfReason(reason),
    reason,
    // Connections and silence have no packet to read it from.
    ...(ttl > 0 ? { ttl } : {}),
    observedAt: new Date(timeMs).toISOString(),
  };
}

/** Waits for room while `stopped` says no; false when it gave up. */
export function writeRecord(
  ring: RecordRing,
  address: number,
  port: number,
  reason: number,
  ttl: number,
  timeMs: number,
  stopped: () => boolean,
): boolean {
  const head = Atomics.load(ring.cursors, HEAD);
  for (;;) {
    const tail = Atomics.load(ring.cursors, TAIL);
    if (((head - tail) | 0) < SLOTS) break;
    if (stopped()) return false;
    Atomics.wait(ring.cursors, TAIL, tail, 100);
  }
  const slot = (head & (SLOTS - 1)) * WORDS;
  ring.words[slot] = address | 0;
  ring.words[slot + 1] = port;
  ring.words[slot + 2] = reason;
  ring.words[slot + 3] = ttl;
  ring.times[head & (SLOTS - 1)] = timeMs;
  Atomics.store(ring.cursors, HEAD, (head + 1) | 0);
  return true;
}

/** True while the reader is so far behind that no more answers should be asked for. */
export function isReaderBehind(ring: RecordRing): boolean {
  return ((Atomics.load(ring.cursors, HEAD) - Atomics.load(ring.cursors, TAIL)) | 0) > SLOTS / 2;
}

/** Everything written since the last call, at most `max`. */
export function readRecords(ring: RecordRing, max: number): PortRecord[] {
  const head = Atomics.load(ring.cursors, HEAD);
  let tail = Atomics.load(ring.cursors, TAIL);
  const records: PortRecord[] = [];
  while (tail !== head && records.length < max) {
    const index = tail & (SLOTS - 1);
    const slot = index * WORDS;
    records.push({
      address: (ring.words[slot] ?? 0) >>> 0,
      port: ring.words[slot + 1] ?? 0,
      reason: REASON_NAMES[ring.words[slot + 2] ?? 0] ?? "no-response",
      ttl: ring.words[slot + 3] ?? 0,
      timeMs: ring.times[index] ?? 0,
    });
    tail = (tail + 1) | 0;
  }
  Atomics.store(ring.cursors, TAIL, tail);
  Atomics.notify(ring.cursors, TAIL);
  return records;
}
