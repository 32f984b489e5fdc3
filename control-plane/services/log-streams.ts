/**
 * Scans' logs, followed while they grow: what is there already, then what comes, until the scan has ended and all is
 * told. Woken by the notice of whichever replica took the lines; a follower holds one page of them at a time.
 */

import type { Clock } from "#shared/clock.ts";
import type { ScanStatus } from "#shared/protocol/operator.ts";
import { listScanLogs, type ScanLogRow } from "../store/scan-logs.ts";
import { findScan } from "../store/scans.ts";
import type { Store } from "../store/store.ts";
import { refusal } from "./refusal.ts";

/** In this replica. */
const MAX_FOLLOWERS = 200;
const RETRY_AFTER_SECONDS = 10;
const PAGE_SIZE = 200;
/** More often than anything on the way gives up on a silent connection; the lines are looked for then, too. */
export const LOG_STREAM_PULSE_MS = 15_000;

/** How often the follower's credential is looked at again. */
const CHECK_INTERVAL_MS = 60_000;

export type LogEvent =
  | { readonly kind: "lines"; readonly rows: readonly ScanLogRow[] }
  /** Nothing came for a while. */
  | { readonly kind: "pulse" }
  /** The last one. */
  | { readonly kind: "end"; readonly status: ScanStatus };

export interface Follower {
  /** Aborted when it is gone. */
  readonly signal: AbortSignal;
  /** Asked now and then; must not throw. */
  readonly isStillAllowed: () => Promise<boolean>;
}

interface Following {
  readonly over: AbortSignal;
  readonly leave: () => void;
  readonly isStillAllowed: Follower["isStillAllowed"];
}

export class LogStreams {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly closing = new AbortController();
  private readonly followers = new Set<symbol>();

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /**
   * The lines after `after`, the id of a line or 0. Ends without "end" when the follower is gone or may not follow any
   * more, or the server stops.
   * @throws PortolanError NOT_FOUND, or RATE_LIMITED when too many follow already
   */
  async follow(scanId: number, after: number, follower: Follower): Promise<AsyncGenerator<LogEvent>> {
    if ((await this.store.run((session) => findScan(session, scanId))) === undefined) {
      throw refusal("NOT_FOUND", `no scan ${scanId}`);
    }
    if (this.followers.size >= MAX_FOLLOWERS) {
      throw refusal("RATE_LIMITED", `${MAX_FOLLOWERS} logs are being followed already; try again shortly`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    const over = AbortSignal.any([follower.signal, this.closing.signal]);
    const leave = this.enter();
    // A stream that nobody reads is never begun, and does not end by itself.
    over.addEventListener("abort", leave, { once: true });
    return this.events(scanId, after, { over, leave, isStillAllowed: follower.isStillAllowed });
  }

  /** Ends all of them. */
  close(): void {
    this.closing.abort();
  }

  /** @returns what gives the place free again */
  private enter(): () => void {
    const place = Symbol("follower");
    this.followers.add(place);
    return () => void this.followers.delete(place);
  }

  private async *events(
    scanId: number,
    after: number,
    { over, leave, isStillAllowed }: Following,
  ): AsyncGenerator<LogEvent> {
    let news = new AbortController();
    const unsubscribe = this.store.subscribe("portolan_scan_logs", (payload) => {
      if (payload === undefined || payload === String(scanId)) news.abort();
    });
    try {
      let last = after;
      let checkedMs = this.clock.monotonicMs();
      while (!over.aborted) {
        if (this.clock.monotonicMs() - checkedMs >= CHECK_INTERVAL_MS) {
          if (!(await isStillAllowed())) return;
          checkedMs = this.clock.monotonicMs();
        }
        news = new AbortController();
        const { status, rows } = await this.read(scanId, last);
        if (rows.length > 0) yield { kind: "lines", rows };
        last = rows.at(-1)?.id ?? last;
        if (rows.length === PAGE_SIZE) continue;
        if (status !== undefined) {
          yield { kind: "end", status };
          return;
        }
        await this.clock.sleep(LOG_STREAM_PULSE_MS, AbortSignal.any([news.signal, over]));
        if (!news.signal.aborted && !over.aborted) yield { kind: "pulse" };
      }
    } finally {
      leave();
      unsubscribe();
    }
  }

  /** The status first, and only of a scan that has ended: then no line is missing of those read after it. */
  private async read(
    scanId: number,
    after: number,
  ): Promise<{ status: ScanStatus | undefined; rows: ScanLogRow[] }> {
    return this.store.run(async (session) => {
      const scan = await findScan(session, scanId);
      const rows = await listScanLogs(session, scanId, { limit: PAGE_SIZE, after });
      return { status: scan === undefined || scan.ended_at === null ? undefined : scan.status, rows };
    });
  }
}
