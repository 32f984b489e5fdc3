/** Slots: never more jobs at a time than there are, and the most urgent first. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type Job, jobSchema } from "#shared/protocol/job.ts";
import { JobSlots } from "./job-slots.ts";

function jobOf(jobId: number, priority?: number): Job {
  return jobSchema.parse({
    jobId,
    scanId: 1,
    leaseId: "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5",
    leaseExpiresAt: "2026-01-27T10:30:00.000Z",
    attempt: 1,
    targets: [{ addresses: ["127.0.0.1"], ports: "1" }],
    maxProbesPerSecond: 0,
    ...(priority === undefined ? {} : { priority }),
    engine: "syn",
    options: { retries: 0, portTimeoutMs: 500, scanTimeoutSeconds: 60, reportStates: ["open"] },
  });
}

/** Slots whose jobs end when they are told. */
class Bench {
  readonly began: number[] = [];
  readonly stop = new AbortController();
  readonly slots: JobSlots;
  private readonly ends = new Map<number, () => void>();

  constructor(count: number) {
    this.slots = new JobSlots(
      count,
      ({ jobId }) => {
        this.began.push(jobId);
        return new Promise((resolve) => this.ends.set(jobId, resolve));
      },
      this.stop.signal,
    );
  }

  running(): number[] {
    return [...this.ends.keys()];
  }

  /** Resolves when whatever follows from it has happened. */
  async end(jobId: number): Promise<void> {
    this.ends.get(jobId)?.();
    this.ends.delete(jobId);
    await settled();
  }
}

function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("JobSlots", () => {
  test("begin what has a place, and the next when one ends", async () => {
    const bench = new Bench(2);
    expect(bench.slots.free).toBe(2);
    bench.slots.add([jobOf(1)]);
    expect([bench.running(), bench.slots.free]).toEqual([[1], 1]);
    bench.slots.add([jobOf(2), jobOf(3)]);
    expect([bench.running(), bench.slots.free]).toEqual([[1, 2], 0]);
    await bench.end(1);
    expect([bench.running(), bench.slots.free]).toEqual([[2, 3], 0]);
    await bench.end(2);
    await bench.end(3);
    expect(bench.slots.free).toBe(2);
  });

  test("the highest priority goes first, then who came first; none told is 0", async () => {
    const bench = new Bench(1);
    bench.slots.add([jobOf(1, 50), jobOf(2), jobOf(3, 100), jobOf(4, 0), jobOf(5, 100)]);
    bench.slots.add([jobOf(6, 70)]);
    for (const jobId of [3, 5, 6, 1, 2, 4]) await bench.end(jobId);
    expect(bench.began).toEqual([3, 5, 6, 1, 2, 4]);
  });

  test("whoever waits for a place is told when there is one, or when none will be", async () => {
    const bench = new Bench(1);
    await bench.slots.whenFree();
    bench.slots.add([jobOf(1)]);
    let told = 0;
    const wait = async (): Promise<void> => {
      await bench.slots.whenFree();
      told++;
    };
    void wait();
    await settled();
    expect(told).toBe(0);
    await bench.end(1);
    expect(told).toBe(1);

    bench.slots.add([jobOf(2)]);
    void wait();
    bench.stop.abort();
    await settled();
    expect([told, bench.slots.free]).toEqual([2, 0]);
  });

  test("begin nothing after the end, and are closed when the last job has ended", async () => {
    const bench = new Bench(1);
    bench.slots.add([jobOf(1), jobOf(2)]);
    let isClosed = false;
    void bench.slots.closed().then(() => (isClosed = true));
    bench.stop.abort();
    await settled();
    expect(isClosed).toBe(false);
    await bench.end(1);
    expect([isClosed, bench.began]).toEqual([true, [1]]);
  });

  test("never run more at a time than they are, and run each once", async () => {
    const step = fc.oneof(
      fc.record({ add: fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }) }),
      fc.record({ end: fc.nat(15) }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 16 }),
        fc.array(step, { maxLength: 40 }),
        async (count, steps) => {
          const bench = new Bench(count);
          let added = 0;
          for (const each of steps) {
            if ("add" in each) bench.slots.add(each.add.map((priority) => jobOf(++added, priority)));
            else await bench.end(bench.running()[each.end] ?? 0);
            expect(bench.running().length).toBeLessThanOrEqual(count);
            expect(bench.slots.free).toBeLessThanOrEqual(count - bench.running().length);
          }
          while (bench.running().length > 0) await bench.end(bench.running()[0] ?? 0);
          expect(bench.began.toSorted((a, b) => a - b)).toEqual(
            Array.from({ length: added }, (_, i) => i + 1),
          );
        },
      ),
      { numRuns: 50 },
    );
  });
});
