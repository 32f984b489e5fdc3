/** The metrics of a scanner over time, in as many points as can be drawn. */

import { HEARTBEAT_INTERVAL_MS, MAX_SERIES_POINTS } from "#shared/protocol/limits.ts";
import type { ScannerStats, ScannerStatsQuery } from "#shared/protocol/scanner-stats.ts";
import { listStatsBuckets, type StatsBucket, type StatsRange } from "../store/scanner-stats-series.ts";
import { findScanner } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import { refusal } from "./refusal.ts";
import { isoTime } from "./time.ts";

const DEFAULT_RANGE_MS = 86_400_000;
const DEFAULT_POINTS = 300;

export class ScannerSeries {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** @throws PortolanError NOT_FOUND, or INVALID_REQUEST for a range that is none or has too many steps */
  async read(scannerId: number, query: ScannerStatsQuery): Promise<ScannerStats> {
    const { range, buckets } = await this.store.run(async (session) => {
      const scanner = await findScanner(session, scannerId);
      if (scanner === undefined) throw refusal("NOT_FOUND", `no scanner ${scannerId}`);
      const range = statsRange(query, scanner.now_ms);
      return { range, buckets: await listStatsBuckets(session, scannerId, range) };
    });
    return {
      scannerId,
      from: isoTime(range.fromMs),
      to: isoTime(range.toMs),
      stepSeconds: range.stepMs / 1_000,
      points: buckets.map(toPoint),
    };
  }
}

/** @throws PortolanError INVALID_REQUEST */
export function statsRange(query: ScannerStatsQuery, nowMs: number): StatsRange {
  const toMs = query.to === undefined ? nowMs : Date.parse(query.to);
  const fromMs = query.from === undefined ? toMs - DEFAULT_RANGE_MS : Date.parse(query.from);
  if (fromMs >= toMs) throw refusal("INVALID_REQUEST", "from: must be before to");
  const lengthMs = toMs - fromMs;
  const stepMs = query.step === undefined ? defaultStepMs(lengthMs) : query.step * 1_000;
  // One more than fit: the first step may begin before `from`.
  if (lengthMs / stepMs > MAX_SERIES_POINTS - 1) {
    const least = Math.ceil(lengthMs / (MAX_SERIES_POINTS - 1) / 1_000);
    throw refusal(
      "INVALID_REQUEST",
      `step: from and to are more than ${MAX_SERIES_POINTS} steps apart; take a step of ${least} s or more`,
    );
  }
  return { fromMs, toMs, stepMs };
}

/** Whole heartbeats. */
function defaultStepMs(lengthMs: number): number {
  const heartbeats = Math.ceil(lengthMs / DEFAULT_POINTS / HEARTBEAT_INTERVAL_MS);
  return Math.max(1, heartbeats) * HEARTBEAT_INTERVAL_MS;
}

function toPoint(bucket: StatsBucket): ScannerStats["points"][number] {
  return {
    at: isoTime(bucket.at),
    samples: bucket.samples,
    loadAvg1m: bucket.load_avg_1m,
    loadAvg5m: bucket.load_avg_5m,
    loadAvg15m: bucket.load_avg_15m,
    memoryTotalBytes: bucket.memory_total_bytes,
    memoryAvailableBytes: bucket.memory_available_bytes,
    networkRxBytes: bucket.network_rx_bytes,
    networkTxBytes: bucket.network_tx_bytes,
    numCpus: bucket.num_cpus,
  };
}
