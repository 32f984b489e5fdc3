import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { probeCookie, probeCookie6 } from "./cookie.ts";

/** HalfSipHash-c-d as the paper describes it, over whole words, to hold the written-out form against. */
function halfSipHash(c: number, d: number, k0: number, k1: number, words: readonly number[]): number {
  const v = new Uint32Array([k0, k1, 0x6c796765 ^ k0, 0x74656462 ^ k1]);
  const word = (i: number): number => v[i] ?? 0;
  const rotate = (i: number, by: number): void => {
    v[i] = (word(i) << by) | (word(i) >>> (32 - by));
  };
  const addThenMix = (sum: number, term: number, by: number): void => {
    v[sum] = word(sum) + word(term);
    rotate(term, by);
    v[term] = word(term) ^ word(sum);
  };
  const rounds = (count: number): void => {
    for (let i = 0; i < count; i++) {
      addThenMix(0, 1, 5);
      rotate(0, 16);
      addThenMix(2, 3, 8);
      addThenMix(0, 3, 7);
      addThenMix(2, 1, 13);
      rotate(2, 16);
    }
  };
  for (const message of [...words, (words.length * 4) << 24]) {
    v[3] = word(3) ^ message;
    rounds(c);
    v[0] = word(0) ^ message;
  }
  v[2] = word(2) ^ 0xff;
  rounds(d);
  return (word(1) ^ word(3)) | 0;
}

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

test("the model gives the published HalfSipHash-2-4 vectors (veorq/SipHash, vectors.h, lengths 4, 8, 12)", () => {
  const words = [0x03020100, 0x07060504, 0x0b0a0908];
  const model = (count: number): number =>
    halfSipHash(2, 4, 0x03020100, 0x07060504, words.slice(0, count)) >>> 0;
  expect([model(1), model(2), model(3)]).toEqual([0x89466e2a, 0x8f84b8d0, 0x2f87f057]);
});

test("the cookie is HalfSipHash-1-3 of source, target and ports", () => {
  fc.assert(
    fc.property(int32, int32, int32, int32, int32, (k0, k1, target, source, ports) => {
      expect(probeCookie(k0, k1, target, source, ports)).toBe(
        halfSipHash(1, 3, k0, k1, [source, target, ports]),
      );
    }),
  );
});

test("over IPv6 it is HalfSipHash-1-3 of the source's words, the target's words and the ports", () => {
  const words = fc.tuple(int32, int32, int32, int32, int32, int32, int32, int32, int32);
  fc.assert(
    fc.property(int32, int32, words, (k0, k1, message) => {
      const [t0, t1, t2, t3, ...rest] = message;
      const [s0, s1, s2, s3, ports] = rest;
      const hashed = [s0, s1, s2, s3, t0, t1, t2, t3, ports];
      expect(probeCookie6(k0, k1, ...message)).toBe(halfSipHash(1, 3, k0, k1, hashed));
    }),
  );
});
