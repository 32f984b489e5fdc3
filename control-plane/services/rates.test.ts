import { expect, test } from "bun:test";
import { effectiveRatePps } from "./rates.ts";

test.each([
  [[0, 0], 0],
  [[0, 500], 500],
  [[100, 0], 100],
  [[100, 500], 100],
])("of the limits %p the rate is %p", (limits, rate) => {
  expect(effectiveRatePps(...limits)).toBe(rate);
});
