/**
 * Wakes polls that wait for work. Rung by the notice of whoever dispatched, in whatever replica. Notices can be missed,
 * and a lease runs out without one, so the database is asked too: for all waiting polls together, only while there are
 * any, seldom while notices are heard and often while they are not.
 */

import type { Clock } from "#shared/clock.ts";
import { parseJobNotice } from "../store/job-notices.ts";
import { listScannersWithWork } from "../store/leases.ts";
import type { Store } from "../store/store.ts";

const RECHECK_INTERVAL_MS = 5_000;
/** A job starts within a second of its dispatch, even so. */
const DEAF_RECHECK_INTERVAL_MS = 500;

export class JobBell {
  private readonly store: Store;
  private readonly clock: Clock;
  private readonly listeners = new Map<number, Set<AbortController>>();
  private watch = new AbortController();
  private unsubscribe: (() => void) | undefined;
  private closed = false;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  get isClosed(): boolean {
    return this.closed;
  }

  /** From now on a ring for the scanner aborts the returned controller. Listen first, then look for jobs. */
  listen(scannerId: number): AbortController {
    const controller = new AbortController();
    if (this.closed) controller.abort();
    const isFirst = this.listeners.size === 0;
    const listeners = this.listeners.get(scannerId) ?? new Set();
    this.listeners.set(scannerId, listeners.add(controller));
    if (isFirst && !this.closed) void this.watchDatabase();
    return controller;
  }

  unlisten(scannerId: number, controller: AbortController): void {
    const listeners = this.listeners.get(scannerId);
    listeners?.delete(controller);
    if (listeners?.size === 0) this.listeners.delete(scannerId);
    if (this.listeners.size === 0) this.watch.abort();
  }

  ring(scannerIds: Iterable<number>): void {
    for (const scannerId of scannerIds) {
      for (const controller of this.listeners.get(scannerId) ?? []) controller.abort();
    }
  }

  /** Wakes everyone, and lets nobody wait any more. */
  close(): void {
    this.closed = true;
    this.unsubscribe?.();
    this.ring(this.listeners.keys());
    this.watch.abort();
  }

  private async watchDatabase(): Promise<void> {
    const watch = new AbortController();
    this.watch = watch;
    // Stays when nobody listens for a while: the next poll is never far.
    this.unsubscribe ??= this.store.subscribe("portolan_jobs", (payload) => {
      if (payload === undefined) void this.ringForWaitingWork();
      else this.ring(parseJobNotice(payload));
    });
    for (;;) {
      const intervalMs = this.store.isHearing ? RECHECK_INTERVAL_MS : DEAF_RECHECK_INTERVAL_MS;
      await this.clock.sleep(intervalMs, watch.signal);
      if (watch.signal.aborted) return;
      await this.ringForWaitingWork();
    }
  }

  private async ringForWaitingWork(): Promise<void> {
    if (this.listeners.size === 0) return;
    try {
      this.ring(await this.store.run(listScannersWithWork));
    } catch {
      // The database cannot be asked: the polls themselves report that, to those who can act on it.
    }
  }
}
