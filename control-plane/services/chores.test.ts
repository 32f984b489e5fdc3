import { expect, test } from "bun:test";
import { Log, type LogEntry } from "#shared/log.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { type Chore, doChores } from "./chores.ts";

test("every chore has its own beat; one that fails or hangs keeps no other from its turn", async () => {
  const clock = new FakeClock();
  const logged: LogEntry[] = [];
  const log = new Log((entry) => logged.push(entry), "DEBUG", clock.nowMs);
  const stop = new AbortController();
  const turns: string[] = [];
  const unhang = Promise.withResolvers<void>();
  const chores: Chore[] = [
    { name: "quick", intervalMs: 1_000, run: async () => turns.push("quick") },
    { name: "slow", intervalMs: 3_000, run: async () => turns.push("slow") },
    {
      name: "broken",
      intervalMs: 1_000,
      run: async () => {
        throw new Error("on purpose");
      },
    },
    { name: "hanging", intervalMs: 1_000, run: () => unhang.promise },
  ];
  const done = doChores(chores, stop.signal, { clock, log });
  for (let second = 1; second <= 6; second++) {
    clock.advance(1_000);
    await new Promise(setImmediate);
  }
  expect(turns.filter((turn) => turn === "quick")).toHaveLength(6);
  expect(turns.filter((turn) => turn === "slow")).toHaveLength(2);
  expect(logged.filter(({ event }) => event === "broken.failed")).toHaveLength(6);
  stop.abort();
  unhang.resolve();
  await done;
  expect(clock.sleeping).toBe(0);
});
