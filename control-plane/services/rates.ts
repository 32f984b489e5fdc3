/** Rate limits, in probes per second; 0 means that there is no limit. */

/** The lowest limit that there is. */
export function effectiveRatePps(...limits: readonly number[]): number {
  const set = limits.filter((limit) => limit > 0);
  return set.length === 0 ? 0 : Math.min(...set);
}

/**
 * A limit divided equally. Whole probes only, and never 0, which would mean no limit: so the shares are together within
 * the limit as long as there are no more of them than probes.
 */
export function equalShare(limitPps: number, shares: number): number {
  return limitPps === 0 ? 0 : Math.max(1, Math.floor(limitPps / Math.max(1, shares)));
}

/** What decides how fast a job may go while others run beside it. */
export interface JobRateFacts {
  /** The lowest limit of what the job scans, for its vantage point. */
  readonly scopeLimitPps: number;
  /** Active jobs, this one with them, that share that limit. */
  readonly jobsInScope: number;
  readonly scannerLimitPps: number;
  /** Active jobs of the scanner, this one with them. */
  readonly jobsOfScanner: number;
}

export function jobRatePps(facts: JobRateFacts): number {
  return effectiveRatePps(
    equalShare(facts.scopeLimitPps, facts.jobsInScope),
    equalShare(facts.scannerLimitPps, facts.jobsOfScanner),
  );
}
