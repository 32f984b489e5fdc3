/** What waits comes out by its time, once, and the queue knows what is next and what is least. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { DueQueue } from "./due-queue.ts";

test("comes out when due, the earliest first, each once", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(50), { maxLength: 200 }), (times) => {
      const queue = new DueQueue();
      times.forEach((dueMs, item) => queue.add(item, dueMs));
      const left = new Set(times.keys());
      for (let nowMs = 0; nowMs <= 50; nowMs++) {
        for (let item = queue.takeDue(nowMs); item >= 0; item = queue.takeDue(nowMs)) {
          expect(times[item]).toBe(nowMs);
          expect(left.delete(item)).toBe(true);
        }
        expect(queue.count()).toBe(left.size);
        expect(queue.least()).toBe(left.size === 0 ? Infinity : Math.min(...left));
        expect(queue.nextDueMs()).toBe(Math.min(Infinity, ...[...left].map((item) => times[item] ?? 0)));
      }
      expect(left.size).toBe(0);
    }),
  );
});

test("taking and adding in any order is the same as sorting each time", () => {
  const step = fc.oneof(fc.record({ add: fc.nat(30) }), fc.record({ takeAt: fc.nat(30) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new DueQueue();
      const waiting = new Map<number, number>();
      steps.forEach((step, item) => {
        if ("add" in step) {
          queue.add(item, step.add);
          waiting.set(item, step.add);
          return;
        }
        const earliest = Math.min(Infinity, ...waiting.values());
        const taken = queue.takeDue(step.takeAt);
        if (earliest > step.takeAt) expect(taken).toBe(-1);
        else {
          // Which of several that are due together is not said.
          expect(waiting.get(taken)).toBe(earliest);
          waiting.delete(taken);
        }
      });
      expect(queue.count()).toBe(waiting.size);
    }),
  );
});

describe("an empty queue", () => {
  test("has nothing due, ever", () => {
    const queue = new DueQueue();
    expect([queue.count(), queue.nextDueMs(), queue.least(), queue.takeDue(Infinity)]).toEqual([
      0,
      Infinity,
      Infinity,
      -1,
    ]);
    queue.add(0, 5);
    expect([queue.takeDue(4), queue.takeDue(5), queue.takeDue(Infinity)]).toEqual([-1, 0, -1]);
  });
});
