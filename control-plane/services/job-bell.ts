/**
 * Wakes polls that wait for work. Rung by this process when it dispatches; for what other replicas dispatch, the
 * database is asked once in a short while, for all waiting polls together and only while there are any.
 */

import type { Clock } from "#shared/clock.ts";

/** A job starts within a second of its dispatch, whichever replica dispatched it. */
const RECHECK_INTERVAL_MS = 500;

export class JobBell {
  private readonly clock: Clock;
  private readonly findScannersWithWork: () => Promise<number[]>;
  private readonly listeners = new Map<number, Set<AbortController>>();
  private watch = new AbortController();
  private closed = false;

  /** @param findScannersWithWork scanners that have a job to claim; may fail, then it is asked again */
  constructor(clock: Clock, findScannersWithWork: () => Promise<number[]>) {
    this.clock = clock;
    this.findScannersWithWork = findScannersWithWork;
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
    if (isFirst) void this.watchDatabase();
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
    this.ring(this.listeners.keys());
    this.watch.abort();
  }

  private async watchDatabase(): Promise<void> {
    const watch = new AbortController();
    this.watch = watch;
    while (!this.closed) {
      await this.clock.sleep(RECHECK_INTERVAL_MS, watch.signal);
      if (watch.signal.aborted) return;
      try {
        this.ring(await this.findScannersWithWork());
      } catch {
        // The database cannot be asked: the polls themselves report that, to those who can act on it.
      }
    }
  }
}
