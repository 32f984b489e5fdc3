/** Queries on the metrics of heartbeats, a row a heartbeat. */

import type { HostMetrics } from "#shared/protocol/scanner.ts";
import type { Session } from "./store.ts";

type PartialMetrics = { readonly [K in keyof HostMetrics]?: HostMetrics[K] | undefined };

/** @param atMs when the heartbeat came, by the database's clock */
export async function insertScannerStats(
  { db }: Session,
  scannerId: number,
  atMs: number,
  metrics: PartialMetrics,
): Promise<void> {
  await db
    .insertInto("scanner_stats")
    .values({
      scanner_id: scannerId,
      at: atMs,
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
}
