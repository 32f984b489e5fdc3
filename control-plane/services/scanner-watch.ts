/**
 * Notices scanners that fall silent and come back, and says each once, in whichever replica sees it first: the events
 * that `scanner_down` alarms are raised and resolved by.
 */

import type { Log } from "#shared/log.ts";
import { markSilentScanners, unmarkSilentScanner } from "../store/scanner-watch.ts";
import type { ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import { isoTimeOrNull } from "./time.ts";

export class ScannerWatch {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  /** Returns how many have fallen silent since the last look. */
  async look(): Promise<number> {
    const silent = await this.store.run(markSilentScanners);
    for (const { id, name, last_heartbeat_at: seenAt } of silent) {
      this.log.warning("scanner.down", `Scanner ${name} is offline: its heartbeats have stopped`, {
        scannerId: id,
        lastHeartbeatAt: isoTimeOrNull(seenAt),
      });
    }
    return silent.length;
  }

  /** Called after each good heartbeat, with the scanner as it was before. */
  async heard({ id, name, down_at: downAt }: ScannerRow): Promise<void> {
    if (downAt === null) return;
    if (!(await this.store.run((session) => unmarkSilentScanner(session, id)))) return;
    this.log.info("scanner.up", `Scanner ${name} is back`, {
      scannerId: id,
      downSince: isoTimeOrNull(downAt),
    });
  }
}
