/**
 * Counts attempts by address over the last minute, in memory and bounded. Each replica counts for itself: the limit is
 * there to slow guessing and noise, and the credentials do not rest on it.
 */

import type { Clock } from "#shared/clock.ts";
import { formatNetwork, networkOf, parseAddress } from "./network.ts";

const WINDOW_MS = 60_000;
/** Beyond this many addresses the one that attempted longest ago is forgotten. */
const MAX_ADDRESSES = 10_000;
/** Who has one IPv6 address usually has its whole /64. */
const IPV6_PREFIX = 64;

export class AttemptLimiter {
  private readonly clock: Clock;
  private readonly limit: number;
  private readonly attempts = new Map<string, number[]>();

  constructor(clock: Clock, limit: number) {
    this.clock = clock;
    this.limit = limit;
  }

  /**
   * Counts an attempt.
   * @returns seconds to wait when it is one too many, else undefined
   */
  count(address: string): number | undefined {
    const now = this.clock.monotonicMs();
    const key = limitKey(address);
    const recent = (this.attempts.get(key) ?? []).filter((at) => at > now - WINDOW_MS);
    const [oldest] = recent;
    const isRefused = recent.length >= this.limit;
    if (!isRefused) recent.push(now);
    // Deleting first moves the address to the end: the first of the map is always the least recent.
    this.attempts.delete(key);
    this.attempts.set(key, recent);
    if (this.attempts.size > MAX_ADDRESSES) this.forgetOldest();
    if (!isRefused || oldest === undefined) return undefined;
    return Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1_000));
  }

  private forgetOldest(): void {
    const [oldest] = this.attempts.keys();
    if (oldest !== undefined) this.attempts.delete(oldest);
  }
}

function limitKey(text: string): string {
  const address = parseAddress(text);
  if (address === undefined || address.family === 4) return text;
  return formatNetwork(networkOf(address, IPV6_PREFIX));
}
