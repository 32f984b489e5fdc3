/**
 * What happens during a job, for the operator who looks at its scan. Best effort: lines wait for the next turn while
 * the control plane is away, the oldest go first when too many wait, and no scan ever waits for them.
 */

import type { JobLogsRequest } from "#shared/protocol/job.ts";
import { MAX_LOG_LINES_PER_BATCH, MAX_LOG_MESSAGE_LENGTH } from "#shared/protocol/limits.ts";

type LogLine = JobLogsRequest["logs"][number];

export class JobLog {
  private readonly lines: LogLine[] = [];
  private batch = 1;

  add(level: LogLine["level"], message: string, timeMs: number): void {
    const timestamp = new Date(timeMs).toISOString();
    this.lines.push({ timestamp, level, message: message.slice(0, MAX_LOG_MESSAGE_LENGTH) });
    if (this.lines.length > MAX_LOG_LINES_PER_BATCH) this.lines.shift();
  }

  /** Sends what waits. @throws what `send` throws; the lines then wait on */
  async flush(send: (batch: number, logs: LogLine[]) => Promise<unknown>): Promise<void> {
    const logs = this.lines.slice();
    if (logs.length === 0) return;
    await send(this.batch, logs);
    this.batch++;
    this.lines.splice(0, logs.length);
  }
}
