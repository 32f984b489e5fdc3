/**
 * Caps for any one host and any one network: when may the next probe to it go? Pure: time comes in.
 *
 * Each host and each network has a moment from which on it may be probed again, kept in tables of fixed size. Two that
 * fall on one place share it, which makes them slower, never faster. A probe that must wait is put aside; others go first.
 * First it waits for its host, then, with a moment that is promised to it, for its network: a busy host's probes must not
 * hold back the network's others. Who comes late for the moment, because the scan as a whole is slower, goes as soon as
 * what really went to host and network lets it.
 */

import { DueQueue } from "./due-queue.ts";

const HOST_BITS = 16;
const NETWORK_BITS = 14;
/** Probes put aside at most. */
const MAX_WAITING = 4_096;
/** Who comes late catches up no more than this, as with the pacer. */
const CATCH_UP_MS = 100;

/** What is asked for, by number. */
export interface CappedItems {
  /** Any integers that tell a host, or a network, from others. */
  hostKey(item: number): number;
  networkKey(item: number): number;
  /** Probes that go together. */
  probes(item: number): number;
}

export class HostCaps {
  private readonly hostIntervalMs: number;
  private readonly networkIntervalMs: number;
  private readonly items: CappedItems;
  /** From when on more may go, by what went. */
  private readonly hostFreeMs = new Float64Array(2 ** HOST_BITS);
  private readonly networkFreeMs = new Float64Array(2 ** NETWORK_BITS);
  /** From when on more may be promised. */
  private readonly hostNextMs = new Float64Array(2 ** HOST_BITS);
  private readonly networkNextMs = new Float64Array(2 ** NETWORK_BITS);
  /** Where the line of those who wait for a host ends. */
  private readonly hostLineMs = new Float64Array(2 ** HOST_BITS);
  private readonly forHost = new DueQueue();
  /** These have the promise of a moment, of their host and of their network. */
  private readonly forNetwork = new DueQueue();

  /** @param hostPps, networkPps probes a second; 0 is no cap */
  constructor(hostPps: number, networkPps: number, items: CappedItems) {
    this.hostIntervalMs = hostPps === 0 ? 0 : 1_000 / hostPps;
    this.networkIntervalMs = networkPps === 0 ? 0 : 1_000 / networkPps;
    this.items = items;
  }

  hasRoom(): boolean {
    return this.waitingCount() < MAX_WAITING;
  }

  waitingCount(): number {
    return this.forHost.count() + this.forNetwork.count();
  }

  /** When the first of what waits is due; Infinity where nothing waits. */
  nextDueMs(): number {
    return Math.min(this.forHost.nextDueMs(), this.forNetwork.nextDueMs());
  }

  /** The least of what waits, by number; Infinity where nothing does. */
  leastWaiting(): number {
    return Math.min(this.forHost.least(), this.forNetwork.least());
  }

  /**
   * Asks for one item. True when it may go now; else it is put aside until `takeDue` gives it back.
   * @param item a whole number from 0
   */
  admit(item: number, nowMs: number): boolean {
    const host = place(this.items.hostKey(item), HOST_BITS);
    const nextMs = this.hostNextMs[host] ?? 0;
    if (nextMs <= nowMs) return this.take(item, host, nowMs, nowMs);
    const dueMs = Math.max(nextMs, this.hostLineMs[host] ?? 0);
    this.hostLineMs[host] = dueMs + this.hostIntervalMs * this.items.probes(item);
    this.forHost.add(item, dueMs);
    return false;
  }

  /** Something that was put aside and may go now, or -1. */
  takeDue(nowMs: number): number {
    for (;;) {
      const goMs = this.forNetwork.nextDueMs();
      const promised = this.forNetwork.takeDue(nowMs);
      if (promised >= 0) {
        if (this.go(promised, goMs, nowMs)) return promised;
        continue;
      }
      const dueMs = this.forHost.nextDueMs();
      const item = this.forHost.takeDue(nowMs);
      if (item < 0 || this.takeInTurn(item, dueMs, nowMs)) return item;
    }
  }

  /** Takes the present moment of a host and its network where both are free. */
  takeNow(hostKey: number, networkKey: number, nowMs: number): boolean {
    const { hostFreeMs, networkFreeMs, hostNextMs, networkNextMs } = this;
    const host = place(hostKey, HOST_BITS);
    const network = place(networkKey, NETWORK_BITS);
    const moments = [hostFreeMs[host], hostNextMs[host], networkFreeMs[network], networkNextMs[network]];
    const isFree = moments.every((moment = 0) => moment <= nowMs);
    if (isFree) this.takeAnyway(hostKey, networkKey, nowMs);
    return isFree;
  }

  /** For a probe that goes now all the same: what follows to its host and network waits for longer. */
  takeAnyway(hostKey: number, networkKey: number, nowMs: number): void {
    const host = place(hostKey, HOST_BITS);
    const network = place(networkKey, NETWORK_BITS);
    const { hostFreeMs, networkFreeMs, hostNextMs, networkNextMs } = this;
    for (const table of [hostFreeMs, hostNextMs]) occupy(table, host, nowMs, this.hostIntervalMs);
    for (const table of [networkFreeMs, networkNextMs]) occupy(table, network, nowMs, this.networkIntervalMs);
  }

  /** For an item whose turn in its host's line has come; it waits on where the host is not free yet. */
  private takeInTurn(item: number, dueMs: number, nowMs: number): boolean {
    const host = place(this.items.hostKey(item), HOST_BITS);
    const nextMs = this.hostNextMs[host] ?? 0;
    if (nextMs <= nowMs) return this.take(item, host, dueMs, nowMs);
    this.forHost.add(item, nextMs);
    return false;
  }

  /**
   * Takes the next moment of a host that is free and its network. True when that is now.
   * @param dueMs since when it might have gone
   */
  private take(item: number, host: number, dueMs: number, nowMs: number): boolean {
    const network = place(this.items.networkKey(item), NETWORK_BITS);
    const probes = this.items.probes(item);
    const sinceMs = Math.max(dueMs, this.hostNextMs[host] ?? 0);
    const goMs = occupy(this.networkNextMs, network, sinceMs, this.networkIntervalMs * probes);
    occupy(this.hostNextMs, host, goMs, this.hostIntervalMs * probes);
    if (goMs <= nowMs) return this.go(item, goMs, nowMs);
    this.forNetwork.add(item, goMs);
    return false;
  }

  /** Lets it go where host and network are free; else it waits until they are. */
  private go(item: number, goMs: number, nowMs: number): boolean {
    const { items, hostFreeMs, networkFreeMs } = this;
    const host = place(items.hostKey(item), HOST_BITS);
    const network = place(items.networkKey(item), NETWORK_BITS);
    const freeMs = Math.max(hostFreeMs[host] ?? 0, networkFreeMs[network] ?? 0);
    if (freeMs > nowMs) {
      this.forNetwork.add(item, freeMs);
      return false;
    }
    const probes = items.probes(item);
    const sinceMs = Math.max(goMs, nowMs - CATCH_UP_MS);
    occupy(hostFreeMs, host, sinceMs, this.hostIntervalMs * probes);
    occupy(networkFreeMs, network, sinceMs, this.networkIntervalMs * probes);
    return true;
  }
}

/** Takes the first moment from `sinceMs` on that is free, and returns it. Without a cap every moment is. */
function occupy(freeMs: Float64Array, at: number, sinceMs: number, intervalMs: number): number {
  const takenMs = Math.max(sinceMs, freeMs[at] ?? 0);
  if (intervalMs > 0) freeMs[at] = takenMs + intervalMs;
  return takenMs;
}

/** Spreads keys over the table by Fibonacci hashing (Knuth, TAOCP 3, 6.4). */
function place(key: number, bits: number): number {
  return Math.imul(key, 0x9e3779b1) >>> (32 - bits);
}
