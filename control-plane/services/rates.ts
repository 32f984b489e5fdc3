/** Rate limits, in probes per second; 0 means that there is no limit. */

/** The lowest limit that there is. */
export function effectiveRatePps(...limits: readonly number[]): number {
  const set = limits.filter((limit) => limit > 0);
  return set.length === 0 ? 0 : Math.min(...set);
}
