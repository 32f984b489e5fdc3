/** Queries on the metrics of heartbeats, a row a heartbeat. */

import type { HostMetrics } from "#shared/protocol/scanner.ts";
import type { Session } from "./store.ts";

type PartialMetrics = { readonly [K in keyof HostMetrics]?: HostMetrics[K] | undefined };

/** Keeps the metrics in the series, and on the scanner as its latest. */
export async function insertScannerStats(
  { db, dialect }: Session,
  scannerId: number,
  metrics: PartialMetrics,
): Promise<void> {
  await db
    .insertInto("scanner_stats")
    .values({
      scanner_id: scannerId,
      at: dialect.nowMs(),
      load_avg_1m: metrics.loadAvg1m ?? null,
      load_avg_5m: metrics.loadAvg5m ?? null,
      load_avg_15m: metrics.loadAvg15m ?? null,
      memory_total_bytes: metrics.memoryTotalBytes ?? null,
      memory_available_bytes: metrics.memoryAvailableBytes ?? null,
      network_rx_bytes: metrics.networkRxBytes ?? null,
      network_tx_bytes: metrics.networkTxBytes ?? null,
      num_cpus: metrics.numCpus ?? null,
    })
    .execute();
  await db
    .updateTable("scanners")
    .set({ metrics: JSON.stringify(metrics) })
    .where("id", "=", scannerId)
    .execute();
}
