/**
 * How long results, logs and changes are kept: a setting, and the chore that keeps to it. Of all replicas one does it at
 * a time, in many short transactions. For scanners' metrics it is only the setting: `stats-maintenance.ts` keeps to it.
 */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import {
  DEFAULT_METRIC_AVERAGES_DAYS,
  DEFAULT_METRICS_DAYS,
  type Retention,
  retentionSchema,
  type RetentionUpdateRequest,
} from "#shared/protocol/retention.ts";
import {
  deleteSomeChanges,
  deleteSomeLogs,
  deleteSomeResults,
  turnResultPartitions,
} from "../store/retention.ts";
import { readSettings, writeSetting } from "../store/settings.ts";
import type { StatsRetention } from "../store/stats-history.ts";
import { readClock, type Session, type Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";

const DAY_MS = 86_400_000;
/** Of each kind in one turn; what is left comes in the next. */
const MAX_STEPS = 2_000;

/** What is purged here. */
const PURGED = ["resultsDays", "logsDays", "changesDays"] as const;
type Purged = (typeof PURGED)[number];
/** What holds of each setting that nobody has set. */
const DEFAULTS: Retention = {
  resultsDays: null,
  logsDays: null,
  changesDays: null,
  metricsDays: DEFAULT_METRICS_DAYS,
  metricAveragesDays: DEFAULT_METRIC_AVERAGES_DAYS,
};
const NAMES = [...PURGED, "metricsDays", "metricAveragesDays"] as const;

/** Each deletes some, and says whether there may be more. */
const STEPS: Readonly<Record<Purged, (session: Session, beforeMs: number) => Promise<boolean>>> = {
  resultsDays: deleteSomeResults,
  logsDays: deleteSomeLogs,
  changesDays: deleteSomeChanges,
};

export class RetentionRules {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly log: Log;

  constructor(store: Store, clock: Clock, log: Log) {
    this.store = store;
    this.clock = clock;
    this.log = log;
  }

  async view(): Promise<Retention> {
    return this.store.run(storedRetention);
  }

  /** Of scanners' metrics. */
  async ofMetrics(): Promise<StatsRetention> {
    const { metricsDays, metricAveragesDays } = await this.view();
    return { samplesMs: metricsDays * DAY_MS, averagesMs: metricAveragesDays * DAY_MS };
  }

  async update(request: RetentionUpdateRequest, actor: string): Promise<Retention> {
    const retention = await this.store.transaction(async (session) => {
      for (const name of NAMES) {
        const days = request[name];
        if (days !== undefined) {
          await writeSetting(session, settingOf(name), days === null ? null : String(days), actor);
        }
      }
      await recordAudit(session, {
        actor,
        action: "retention.changed",
        object: "retention",
        detail: request,
      });
      return storedRetention(session);
    });
    this.log.info("retention.changed", "What is kept for how long was changed", { actor, ...retention });
    return retention;
  }

  /** @returns steps that were done */
  async purge(signal?: AbortSignal): Promise<number> {
    const retention = await this.view();
    const nowMs = await this.store.run(readClock);
    const beforeMs = (days: number | null): number | undefined =>
      days === null ? undefined : nowMs - days * DAY_MS;
    const done: string[] = [];
    await this.store.tryExclusive("retention", async (session) => {
      done.push(...(await turnResultPartitions(session, beforeMs(retention.resultsDays))));
    });
    for (const what of done) this.log.info("results.partition", `Results: ${what}`);
    let steps = 0;
    for (const name of PURGED) {
      const before = beforeMs(retention[name]);
      if (before === undefined) continue;
      for (; steps < MAX_STEPS; steps++) {
        if (signal?.aborted === true || !(await this.step(name, before))) break;
        // Whoever waits for the database goes first.
        await this.clock.sleep(0);
      }
    }
    return steps;
  }

  private async step(name: Purged, beforeMs: number): Promise<boolean> {
    let more = false;
    await this.store.tryExclusive("retention", async (session) => {
      more = await STEPS[name](session, beforeMs);
    });
    return more;
  }
}

function settingOf(name: keyof Retention): string {
  return `retention.${name}`;
}

async function storedRetention(session: Session): Promise<Retention> {
  const stored = await readSettings(session);
  const days = NAMES.map((name) => {
    const text = stored.get(settingOf(name));
    return [name, text === undefined ? DEFAULTS[name] : Number(text)];
  });
  return retentionSchema.parse(Object.fromEntries(days));
}
