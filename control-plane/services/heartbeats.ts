/** Heartbeats: a scanner is alive, this is what it is, and this is how it fares. */

import { errorMessage } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { HeartbeatRequest, HeartbeatResponse } from "#shared/protocol/scanner.ts";
import { insertScannerStats } from "../store/scanner-stats.ts";
import { recordHeartbeat, recordInventory, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";

export class Heartbeats {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  async accept(
    scanner: ScannerRow,
    heartbeat: HeartbeatRequest,
    address: string,
  ): Promise<HeartbeatResponse> {
    const { capabilities } = heartbeat;
    const nowMs = await this.store.transaction(async (session) => {
      await recordInventory(session, scanner.id, {
        version: heartbeat.version,
        hostname: heartbeat.hostname,
        internal_ip: heartbeat.internalIp,
        capabilities: capabilities === undefined ? undefined : JSON.stringify(capabilities),
        external_ip: address,
      });
      return recordHeartbeat(session, scanner.id);
    });
    await this.keepMetrics(scanner, heartbeat);
    return { ok: true, serverTime: new Date(nowMs).toISOString() };
  }

  /** Apart from the heartbeat and after it: metrics that cannot be kept are no reason to call a scanner dead. */
  private async keepMetrics(scanner: ScannerRow, { metrics }: HeartbeatRequest): Promise<void> {
    if (metrics === undefined) return;
    try {
      await this.store.transaction((session) => insertScannerStats(session, scanner.id, metrics));
    } catch (error) {
      this.log.warning(
        "metrics.lost",
        `Metrics of scanner ${scanner.name} were not kept: ${errorMessage(error)}`,
        {
          scannerId: scanner.id,
        },
      );
    }
  }
}
