/**
 * Answers on their way from a Worker to the main thread: a ring in shared memory with one writer and one reader.
 * A message costs a hundred times more. When the ring is full the writer waits; nothing is ever dropped here.
 */

const SLOTS = 2 ** 16;
/** Question, reason, ttl, our port. */
const WORDS = 4;
/** Address number, wall clock in milliseconds. */
const FLOATS = 2;
const HEAD = 0;
const TAIL = 1;

export interface RecordRing {
  /** [written, read], both counting on and wrapping at 2³². */
  readonly cursors: Int32Array;
  readonly words: Int32Array;
  readonly floats: Float64Array;
}

export interface AnswerRecord {
  readonly addressNumber: number;
  /** For the answer of a canary the port, as -1 - port. */
  readonly question: number;
  /** Place in REASON_NAMES. */
  readonly reason: number;
  /** 0 where no packet told it. */
  readonly ttl: number;
  /** Our port that was answered; 0 for a connection. */
  readonly ourPort: number;
  readonly timeMs: number;
}

export function newRecordRing(): RecordRing {
  return {
    cursors: new Int32Array(new SharedArrayBuffer(8)),
    words: new Int32Array(new SharedArrayBuffer(SLOTS * WORDS * 4)),
    floats: new Float64Array(new SharedArrayBuffer(SLOTS * FLOATS * 8)),
  };
}

/** Waits for room while `stopped` says no; false when it gave up. */
export function writeRecord(
  ring: RecordRing,
  addressNumber: number,
  question: number,
  reason: number,
  ttl: number,
  ourPort: number,
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
  const index = head & (SLOTS - 1);
  const word = index * WORDS;
  ring.words[word] = question;
  ring.words[word + 1] = reason;
  ring.words[word + 2] = ttl;
  ring.words[word + 3] = ourPort;
  ring.floats[index * FLOATS] = addressNumber;
  ring.floats[index * FLOATS + 1] = timeMs;
  Atomics.store(ring.cursors, HEAD, (head + 1) | 0);
  return true;
}

/** True while the reader is so far behind that no more answers should be asked for. */
export function isReaderBehind(ring: RecordRing): boolean {
  return ((Atomics.load(ring.cursors, HEAD) - Atomics.load(ring.cursors, TAIL)) | 0) > SLOTS / 2;
}

/** Everything written since the last call, at most `max`. */
export function readRecords(ring: RecordRing, max: number): AnswerRecord[] {
  const head = Atomics.load(ring.cursors, HEAD);
  let tail = Atomics.load(ring.cursors, TAIL);
  const records: AnswerRecord[] = [];
  while (tail !== head && records.length < max) {
    const index = tail & (SLOTS - 1);
    const word = index * WORDS;
    records.push({
      question: ring.words[word] ?? 0,
      reason: ring.words[word + 1] ?? 0,
      ttl: ring.words[word + 2] ?? 0,
      ourPort: ring.words[word + 3] ?? 0,
      addressNumber: ring.floats[index * FLOATS] ?? 0,
      timeMs: ring.floats[index * FLOATS + 1] ?? 0,
    });
    tail = (tail + 1) | 0;
  }
  Atomics.store(ring.cursors, TAIL, tail);
  Atomics.notify(ring.cursors, TAIL);
  return records;
}
