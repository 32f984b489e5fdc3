/** One request of the catalogue, and the few words that requests are put together from. */

/** The same bytes go to every target, but for the cookie. */
export interface UdpPayload {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where the cookie's low bytes are written, most significant first; -1 where there is no place for them. */
  readonly cookieAt: number;
  readonly cookieBytes: 0 | 2 | 4;
  readonly ports: readonly number[];
  /** Whether an answer of `length` bytes at `at` brings our cookie back. Where it is missing, nothing can be told. */
  answers?(view: DataView, at: number, length: number, cookie: number): boolean;
}

type AnswerRule = NonNullable<UdpPayload["answers"]>;

/** A request without a place for a cookie: whatever comes back is taken for an answer. */
export function plain(name: string, ports: readonly number[], bytes: Uint8Array): UdpPayload {
  return { name, ports, bytes, cookieAt: -1, cookieBytes: 0 };
}

/** A request that carries `cookieBytes` of the cookie at `cookieAt`. */
export function withCookie(
  name: string,
  ports: readonly number[],
  bytes: Uint8Array,
  cookieAt: number,
  cookieBytes: 2 | 4,
  answers: AnswerRule,
): UdpPayload {
  return { name, ports, bytes, cookieAt, cookieBytes, answers };
}

/** Answers that repeat the cookie's low two bytes at `place`. */
export function repeats16(place: number): AnswerRule {
  return (view, at, length, cookie) =>
    length >= place + 2 && view.getUint16(at + place) === (cookie & 0xffff);
}

/** Answers that repeat the whole cookie at `place`. */
export function repeats32(place: number): AnswerRule {
  return (view, at, length, cookie) => length >= place + 4 && view.getInt32(at + place) === (cookie | 0);
}

const encoder = new TextEncoder();

/** Numbers are bytes, strings are UTF-8. */
export function bytesOf(...parts: readonly (number | string | Iterable<number>)[]): Uint8Array {
  const bytes: number[] = [];
  for (const part of parts) {
    if (typeof part === "number") bytes.push(part);
    else bytes.push(...(typeof part === "string" ? encoder.encode(part) : part));
  }
  return Uint8Array.from(bytes);
}

/** In network byte order. */
export function u16(value: number): readonly number[] {
  return [value >>> 8, value & 0xff];
}

/** In network byte order. */
export function u32(value: number): readonly number[] {
  return [value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff];
}

export function zeros(count: number): readonly number[] {
  return Array.from({ length: count }, () => 0);
}

/** Bytes that look random and are always the same, for nonces whose value nobody looks at (a Lehmer generator). */
export function filler(count: number): readonly number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state * 48_271) % 0x7fff_ffff;
    return (state >>> 16) & 0x7f;
  });
}
