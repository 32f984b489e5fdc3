/**
 * Looks after the history of metrics: partitions ahead, averages, and an end to what is too old. Of all replicas one
 * does it at a time. Many short transactions, so that no heartbeat waits for it.
 */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { averageStep, type StatsRetention, turnPartitions } from "../store/stats-history.ts";
import type { Store } from "../store/store.ts";

/** In one turn; what is left comes in the next. */
const MAX_STEPS = 1_000;

export class StatsMaintenance {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly log: Log;
  private readonly retention: () => Promise<StatsRetention>;

  /** @param retention asked at every turn: it is a setting */
  constructor(store: Store, clock: Clock, log: Log, retention: () => Promise<StatsRetention>) {
    this.store = store;
    this.clock = clock;
    this.log = log;
    this.retention = retention;
  }

  /** @returns steps that were done; 0 when there was nothing to do, or another replica is at it */
  async maintain(signal?: AbortSignal): Promise<number> {
    const retention = await this.retention();
    const done: string[] = [];
    await this.store.tryExclusive("statsMaintenance", async (session) => {
      done.push(...(await turnPartitions(session, retention)));
    });
    for (const what of done) this.log.info("stats.partition", `History of metrics: ${what}`);
    let steps = 0;
    for (; steps < MAX_STEPS; steps++) {
      if (signal?.aborted === true || !(await this.step(retention))) break;
      // Whoever waits for the database goes first.
      await this.clock.sleep(0);
    }
    return steps;
  }

  private async step(retention: StatsRetention): Promise<boolean> {
    let more = false;
    await this.store.tryExclusive("statsMaintenance", async (session) => {
      more = await averageStep(session, retention);
    });
    return more;
  }
}
