/** A job's log lines: each sent once, kept while the control plane is away, and never more than fit a call. */

import { expect, test } from "bun:test";
import { jobLogsRequestSchema } from "#shared/protocol/job.ts";
import { MAX_LOG_LINES_PER_BATCH, MAX_LOG_MESSAGE_LENGTH } from "#shared/protocol/limits.ts";
import { JobLog } from "./job-log.ts";

interface Sent {
  readonly batch: number;
  readonly messages: readonly string[];
}

/** A control plane that takes lines, or is away. */
function receiver() {
  const sent: Sent[] = [];
  return {
    sent,
    away: false,
    async send(batch: number, logs: readonly { readonly message: string }[]): Promise<void> {
      if (this.away) throw new Error("away");
      sent.push({ batch, messages: logs.map(({ message }) => message) });
    },
  };
}

test("lines are sent once, in order, in numbered batches", async () => {
  const log = new JobLog();
  const plane = receiver();
  log.add("info", "one", 0);
  log.add("warning", "two", 1);
  await log.flush((batch, logs) => plane.send(batch, logs));
  await log.flush((batch, logs) => plane.send(batch, logs));
  log.add("error", "three", 2);
  await log.flush((batch, logs) => plane.send(batch, logs));
  expect(plane.sent).toEqual([
    { batch: 1, messages: ["one", "two"] },
    { batch: 2, messages: ["three"] },
  ]);
});

test("lines wait while the control plane is away, and keep their batch number", async () => {
  const log = new JobLog();
  const plane = receiver();
  plane.away = true;
  log.add("info", "one", 0);
  await expect(log.flush((batch, logs) => plane.send(batch, logs))).rejects.toThrow("away");
  plane.away = false;
  log.add("info", "two", 1);
  await log.flush((batch, logs) => plane.send(batch, logs));
  // What may have arrived is repeated as it was; what came meanwhile goes under the next number.
  expect(plane.sent).toEqual([
    { batch: 1, messages: ["one"] },
    { batch: 2, messages: ["two"] },
  ]);
});

test("whatever is added, a call fits the wire; the oldest lines go first", async () => {
  const log = new JobLog();
  for (let i = 0; i < 3 * MAX_LOG_LINES_PER_BATCH; i++) log.add("info", `${i} ${"x".repeat(5_000)}`, i);
  await log.flush(async (batch, logs) => {
    const request = jobLogsRequestSchema.parse({ leaseId: crypto.randomUUID(), batch, logs });
    expect(request.logs).toHaveLength(MAX_LOG_LINES_PER_BATCH);
    expect(request.logs.at(-1)?.message).toHaveLength(MAX_LOG_MESSAGE_LENGTH);
    expect(request.logs.at(-1)?.message).toStartWith(`${3 * MAX_LOG_LINES_PER_BATCH - 1} `);
  });
});
