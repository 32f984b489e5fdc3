/** Hosts to send canaries to: asked for by the main thread, sent by the first sender. One writer, one reader. */

const SLOTS = 4_096;
const HEAD = 0;
const TAIL = 1;

export interface CanaryQueue {
  readonly cursors: Int32Array;
  readonly addressNumbers: Float64Array;
}

export function newCanaryQueue(): CanaryQueue {
  return {
    cursors: new Int32Array(new SharedArrayBuffer(8)),
    addressNumbers: new Float64Array(new SharedArrayBuffer(SLOTS * 8)),
  };
}

/** @returns the request's ticket, or undefined when the queue is full: ask again */
export function requestCanaries(queue: CanaryQueue, addressNumber: number): number | undefined {
  const head = Atomics.load(queue.cursors, HEAD);
  if (((head - Atomics.load(queue.cursors, TAIL)) | 0) >= SLOTS) return undefined;
  queue.addressNumbers[head & (SLOTS - 1)] = addressNumber;
  Atomics.store(queue.cursors, HEAD, (head + 1) | 0);
  return head;
}

/** Whether the sender has come to that request. */
export function areCanariesSent(queue: CanaryQueue, ticket: number): boolean {
  return ((Atomics.load(queue.cursors, TAIL) - ticket) | 0) > 0;
}

/** The next host, or -1. */
export function nextCanaryHost(queue: CanaryQueue): number {
  const tail = Atomics.load(queue.cursors, TAIL);
  if (tail === Atomics.load(queue.cursors, HEAD)) return -1;
  const addressNumber = queue.addressNumbers[tail & (SLOTS - 1)] ?? -1;
  Atomics.store(queue.cursors, TAIL, (tail + 1) | 0);
  return addressNumber;
}

export function hasCanaryHosts(queue: CanaryQueue): boolean {
  return Atomics.load(queue.cursors, TAIL) !== Atomics.load(queue.cursors, HEAD);
}
