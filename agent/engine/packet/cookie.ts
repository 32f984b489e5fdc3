/**
 * The cookie: a keyed hash of a probe's addresses and ports, sent in the probe; `probe-kind.ts` tells where.
 * A reply is genuine when it brings back the cookie that its own addresses and ports give, so no probe is remembered.
 *
 * HalfSipHash-1-3 over 32-bit words, 32 bits out: J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast
 * short-input PRF", in the reduced form that Linux uses as `hsiphash`. Its 32-bit words suit JavaScript.
 * One and three rounds, not two and four: a guess at 32 bits needs no weakness, and the hash is half of a probe's cost.
 */

/** A scan's secret, drawn anew for each scan: two random 32-bit integers. */
export interface CookieKey {
  readonly k0: number;
  readonly k1: number;
}

/** SipHash puts the message's length in bytes into the top byte of its last word: 12 here, 36 with IPv6 addresses. */
const LENGTH_WORD = 0x0c00_0000;
const LENGTH_WORD_6 = 0x2400_0000;

/**
 * The cookies of probes over IPv4 from one source, as signed 32-bit integers. Many at once: a call a probe would cost half
 * as much again, and the source, which is the same for all, is hashed once.
 * The equal rounds are written out: in a loop they cost twice as much.
 * @param portPairs of each: target port in the high half, our port in the low half
 */
export function probeCookies(
  k0: number,
  k1: number,
  count: number,
  source: number,
  targets: Int32Array,
  portPairs: Int32Array,
  cookies: Int32Array,
): void {
  let v0 = k0 | 0;
  let v1 = k1 | 0;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  v3 ^= source;
  v0 = (v0 + v1) | 0;
  v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
  v0 = (v0 << 16) | (v0 >>> 16);
  v2 = (v2 + v3) | 0;
  v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
  v0 = (v0 + v3) | 0;
  v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
  v2 = (v2 + v1) | 0;
  v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
  v2 = (v2 << 16) | (v2 >>> 16);
  v0 ^= source;
  const s0 = v0;
  const s1 = v1;
  const s2 = v2;
  const s3 = v3;
  for (let i = 0; i < count; i++) {
    const target = targets[i] ?? 0;
    const ports = portPairs[i] ?? 0;
    v0 = s0;
    v1 = s1;
    v2 = s2;
    v3 = s3 ^ target;

    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= target;

    v3 ^= ports;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= ports;

    v3 ^= LENGTH_WORD;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= LENGTH_WORD;

    v2 ^= 0xff;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);

    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);

    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    cookies[i] = v1 ^ v3;
  }
}

const oneTarget = new Int32Array(1);
const onePorts = new Int32Array(1);
const oneCookie = new Int32Array(1);

/** The cookie of one probe over IPv4. */
export function probeCookie(k0: number, k1: number, target: number, source: number, ports: number): number {
  oneTarget[0] = target;
  onePorts[0] = ports;
  probeCookies(k0, k1, 1, source, oneTarget, onePorts, oneCookie);
  return oneCookie[0] ?? 0;
}

const message6 = new Int32Array(10);
message6[9] = LENGTH_WORD_6;

/**
 * The cookie of a probe over IPv6: the same hash over nine words. Thirteen rounds written out would be long to read and
 * to compile; a loop is fast enough here.
 * @param t0 target, most significant word first; `s0` our address likewise; `ports` as for IPv4
 */
export function probeCookie6(
  k0: number,
  k1: number,
  t0: number,
  t1: number,
  t2: number,
  t3: number,
  s0: number,
  s1: number,
  s2: number,
  s3: number,
  ports: number,
): number {
  message6[0] = s0;
  message6[1] = s1;
  message6[2] = s2;
  message6[3] = s3;
  message6[4] = t0;
  message6[5] = t1;
  message6[6] = t2;
  message6[7] = t3;
  message6[8] = ports;
  let v0 = k0 | 0;
  let v1 = k1 | 0;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  for (let round = 0; round < 13; round++) {
    // Three rounds without a word of the message finish the hash.
    const word = round < 10 ? (message6[round] ?? 0) : 0;
    if (round === 10) v2 ^= 0xff;
    v3 ^= word;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= word;
  }
  return v1 ^ v3;
}
