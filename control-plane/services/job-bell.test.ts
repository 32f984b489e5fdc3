import { expect, test } from "bun:test";
import { FakeClock } from "../testing/fake-clock.ts";
import { JobBell } from "./job-bell.ts";

test("a ring wakes those who listen for the scanner, and nobody else", () => {
  const bell = new JobBell(new FakeClock(), async () => []);
  const [first, second, other] = [bell.listen(1), bell.listen(1), bell.listen(2)];
  bell.ring([1]);
  expect([first, second, other].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
  bell.close();
});

test("work that another replica dispatched is found while someone listens, and not asked for when nobody does", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const bell = new JobBell(clock, async () => {
    asked++;
    if (asked === 1) throw new Error("the database is away");
    return [7];
  });
  const listener = bell.listen(7);
  const rung = new Promise((resolve) => listener.signal.addEventListener("abort", resolve));
  while (!listener.signal.aborted) {
    clock.advance(500);
    await Promise.resolve();
  }
  await rung;
  expect(asked).toBe(2);
  bell.unlisten(7, listener);
  expect(clock.sleeping).toBe(0);
});

test("a closed bell wakes everyone and keeps nobody waiting", () => {
  const bell = new JobBell(new FakeClock(), async () => []);
  const waiting = bell.listen(1);
  bell.close();
  expect(waiting.signal.aborted).toBe(true);
  expect(bell.listen(1).signal.aborted).toBe(true);
});
