/**
 * Load, memory and network totals of this host for the heartbeat.
 * systeminformation reads memory from /proc without starting a process; its network call starts dozens, so the
 * counters are read here.
 */

import { readFileSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";
import { mem } from "systeminformation";
import type { HostMetrics } from "#shared/protocol/scanner.ts";

export async function hostMetrics(): Promise<HostMetrics> {
  const [loadAvg1m = 0, loadAvg5m = 0, loadAvg15m = 0] = loadavg();
  const memory = await mem();
  const traffic = parseNetDev(readFileSync("/proc/net/dev", "utf8"));
  return {
    loadAvg1m,
    loadAvg5m,
    loadAvg15m,
    memoryTotalBytes: memory.total,
    memoryAvailableBytes: memory.available,
    networkRxBytes: traffic.rxBytes,
    networkTxBytes: traffic.txBytes,
    numCpus: availableParallelism(),
  };
}

/** Sums every interface but loopback. A line is `name: rx-bytes … (eight columns) tx-bytes …` (proc(5)). */
export function parseNetDev(text: string): { rxBytes: number; txBytes: number } {
  let rxBytes = 0;
  let txBytes = 0;
  for (const line of text.split("\n")) {
    const [name, counters] = line.split(":");
    if (counters === undefined || name?.trim() === "lo") continue;
    const columns = counters.trim().split(/\s+/).map(Number);
    rxBytes += columns[0] ?? 0;
    txBytes += columns[8] ?? 0;
  }
  return { rxBytes, txBytes };
}
