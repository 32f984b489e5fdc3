import { expect, test } from "bun:test";
import { Random } from "./random.ts";

test("the same seed gives the same numbers, another seed others", () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 100 }, () => random.between(1, 1_000));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(Math.min(...draw(7))).toBeGreaterThanOrEqual(1);
  expect(Math.max(...draw(7))).toBeLessThanOrEqual(1_000);
});

test("every item is picked now and then, and of nothing there is nothing to pick", () => {
  const random = new Random(1);
  const picked = new Set(Array.from({ length: 200 }, () => random.pick(["a", "b", "c"])));
  expect([...picked].toSorted()).toEqual(["a", "b", "c"]);
  expect(() => random.pick([])).toThrow(RangeError);
});
