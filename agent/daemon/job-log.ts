/**
 * What happens during a job, for the operator who looks at its scan. Best effort: lines wait for the next turn while
 * the control plane is away, the oldest go first when too many wait, and no scan ever waits for them.
 */

import type { JobLogsRequest } from "#shared/protocol/job.ts";
import { MAX_LOG_LINES_PER_BATCH, MAX_LOG_MESSAGE_LENGTH } from "#shared/protocol/limits.ts";

type LogLine = JobLogsRequest["logs"][number];
type Send = (batch: number, logs: LogLine[]) => Promise<unknown>;

export class JobLog {
  private waiting: LogLine[] = [];
  /** Under way, or to be repeated under the same number: the control plane takes each number once. */
  private sending: LogLine[] = [];
  private batch = 1;
  private turn: Promise<void> = Promise.resolve();

  add(level: LogLine["level"], message: string, timeMs: number): void {
    const timestamp = new Date(timeMs).toISOString();
    this.waiting.push({ timestamp, level, message: message.slice(0, MAX_LOG_MESSAGE_LENGTH) });
    if (this.waiting.length > MAX_LOG_LINES_PER_BATCH) this.waiting.shift();
  }

  /** Sends what waits, after what an earlier call sends. @throws what `send` throws; the lines then wait on */
  flush(send: Send): Promise<void> {
    const flushed = this.turn.then(() => this.sendWaiting(send));
    this.turn = flushed.catch(() => undefined);
    return flushed;
  }

  private async sendWaiting(send: Send): Promise<void> {
    for (;;) {
      if (this.sending.length === 0) {
        this.sending = this.waiting;
        this.waiting = [];
      }
      if (this.sending.length === 0) return;
      await send(this.batch, this.sending);
      this.batch++;
      this.sending = [];
    }
  }
}
