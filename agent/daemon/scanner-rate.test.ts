/** The limit over all jobs: the lowest of host and control plane, and it follows the control plane's word. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { Log } from "#shared/log.ts";
import { ScannerRate } from "./scanner-rate.ts";

function rateOf(hostPps: number): { rate: ScannerRate; said: string[] } {
  const said: string[] = [];
  const log = new Log(
    ({ message }) => said.push(message),
    "INFO",
    () => 0,
  );
  return { rate: new ScannerRate(hostPps, log), said };
}

test("what the control plane says holds for running jobs at once, and for those that come", () => {
  const { rate, said } = rateOf(0);
  const shares = [0, 0, 0];
  const join = (i: number, wantPps: number): unknown =>
    rate.join(wantPps, (ratePps) => (shares[i] = ratePps));
  join(0, 0);
  join(1, 500);
  rate.hear(3_000);
  expect(shares).toEqual([2_500, 500, 0]);
  join(2, 0);
  expect(shares).toEqual([1_250, 500, 1_250]);
  rate.hear(600);
  expect(shares).toEqual([200, 200, 200]);
  rate.hear(0);
  expect(shares).toEqual([0, 500, 0]);
  expect(said).toEqual(
    [3_000, 600, "any number of"].map((n) => `All jobs together are now limited to ${n} probes/s`),
  );
});

test("no word changes nothing, and the same word again is not news", () => {
  const { rate, said } = rateOf(0);
  let share = 0;
  rate.join(0, (ratePps) => (share = ratePps));
  rate.hear(100);
  rate.hear(undefined);
  rate.hear(100);
  expect([share, said.length]).toEqual([100, 1]);
});

test("the lower of host and control plane holds, whatever it says; 0 is no limit", () => {
  const limit = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 }));
  fc.assert(
    fc.property(limit, fc.array(limit, { minLength: 1, maxLength: 5 }), (hostPps, words) => {
      const { rate } = rateOf(hostPps);
      let share = 0;
      rate.join(0, (ratePps) => (share = ratePps));
      for (const word of words) {
        rate.hear(word);
        const limits = [hostPps, word].filter((each) => each > 0);
        expect(share).toBe(limits.length === 0 ? 0 : Math.min(...limits));
      }
    }),
  );
});
