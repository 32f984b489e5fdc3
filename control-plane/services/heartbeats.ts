/** Heartbeats: a scanner is alive, this is what it is, and this is how it fares. */

import { errorMessage } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { HeartbeatRequest, HeartbeatResponse } from "#shared/protocol/scanner.ts";
import { insertScannerStats } from "../store/scanner-stats.ts";
import { recordHeartbeat, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import type { ScannerWatch } from "./scanner-watch.ts";
import type { Settings } from "./settings.ts";

export class Heartbeats {
  private readonly store: Store;
  private readonly log: Log;
  private readonly watch: ScannerWatch;
  private readonly settings: Settings;

  constructor(store: Store, log: Log, watch: ScannerWatch, settings: Settings) {
    this.store = store;
    this.log = log;
    this.watch = watch;
    this.settings = settings;
  }

  async accept(
    scanner: ScannerRow,
    heartbeat: HeartbeatRequest,
    address: string,
  ): Promise<HeartbeatResponse> {
    const { capabilities, metrics } = heartbeat;
    const nowMs = await this.store.run((session) =>
      recordHeartbeat(session, scanner.id, {
        version: heartbeat.version,
        hostname: heartbeat.hostname,
        internal_ip: heartbeat.internalIp,
        capabilities: capabilities === undefined ? undefined : JSON.stringify(capabilities),
        external_ip: address,
        metrics: metrics === undefined ? undefined : JSON.stringify(metrics),
      }),
    );
    await this.watch.heard(scanner);
    await this.keepMetrics(scanner, nowMs, metrics);
    const { minimumAgentVersion: minimumVersion } = await this.settings.inForce();
    return {
      ok: true,
      serverTime: new Date(nowMs).toISOString(),
      ...(scanner.rotation_requested_at === null ? {} : { rotateKey: true }),
      ...(minimumVersion === null ? {} : { minimumVersion }),
    };
  }

  /** Apart from the heartbeat and after it: metrics that cannot be kept are no reason to call a scanner dead. */
  private async keepMetrics(
    scanner: ScannerRow,
    nowMs: number,
    metrics: HeartbeatRequest["metrics"],
  ): Promise<void> {
    if (metrics === undefined) return;
    try {
      await this.store.run((session) => insertScannerStats(session, scanner.id, nowMs, metrics));
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
