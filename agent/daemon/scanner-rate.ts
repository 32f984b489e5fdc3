/**
 * What all jobs of this scanner may send together: the lowest of what the host's configuration and the control plane
 * allow. The control plane's word may change with any answer about any job, and holds for all of them at once.
 */

import type { Log } from "#shared/log.ts";
import { type BudgetMember, RateBudget } from "../engine/rate-shares.ts";

const UNLIMITED = 0;

export class ScannerRate {
  private readonly hostPps: number;
  private readonly log: Log;
  private readonly budget: RateBudget;
  private limitPps: number;

  /** @param hostPps the limit of this host's own configuration; 0 is unlimited */
  constructor(hostPps: number, log: Log) {
    this.hostPps = hostPps;
    this.log = log;
    this.limitPps = hostPps;
    this.budget = new RateBudget(hostPps);
  }

  /** Adds a job, as `RateBudget.join` does. */
  join(wantPps: number, setRate: (ratePps: number) => void): BudgetMember {
    return this.budget.join(wantPps, setRate);
  }

  /** @param scannerPps the control plane's limit for the whole scanner, 0 is unlimited; undefined where it told none */
  hear(scannerPps: number | undefined): void {
    if (scannerPps === undefined) return;
    const limitPps = lowestLimit(this.hostPps, scannerPps);
    if (limitPps === this.limitPps) return;
    this.limitPps = limitPps;
    this.budget.setLimit(limitPps);
    const limit = limitPps === UNLIMITED ? "any number of" : limitPps;
    this.log.info("scanner.rate", `All jobs together are now limited to ${limit} probes/s`);
  }
}

function lowestLimit(a: number, b: number): number {
  if (a === UNLIMITED || b === UNLIMITED) return Math.max(a, b);
  return Math.min(a, b);
}
