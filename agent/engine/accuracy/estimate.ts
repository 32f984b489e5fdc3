/**
 * How many ports a scan missed, told from its own passes. Pure.
 *
 * Capture-recapture by removal (Zippin, "An evaluation of the removal method of estimating animal populations", 1956):
 * each pass asks only what has not answered yet. When every probe or its answer is lost with the same chance p, the share
 * of answers that first come in pass k is (1 - p)·p^(k-1) / (1 - p^K); the share found after the first pass therefore
 * gives p, and p^K of all that would answer is still missing after K passes.
 *
 * It holds for loss that strikes each packet alike. Loss in bursts, or loss that the first pass caused by its own rate,
 * is less in later passes: then the estimate is too dark, not too bright.
 */

/** Answers fewer than this estimate nothing. */
const MIN_ANSWERS = 30;
/** Two-sided 95 % of a normal distribution. */
const Z = 1.96;
const BISECTIONS = 60;

export interface LossEstimate {
  /** Chance that a probe or its answer is lost, and the bounds of its 95 % interval. */
  readonly loss: number;
  readonly lossLow: number;
  readonly lossHigh: number;
  /** Share found of the ports that would answer, and the bounds that follow from those of the loss. */
  readonly completeness: number;
  readonly completenessLow: number;
  readonly completenessHigh: number;
}

/**
 * @param foundByPass answers by the pass whose probe they answer, as many entries as the scan had passes
 * @returns undefined where one pass, or too few answers, tell nothing
 */
export function estimateLoss(foundByPass: readonly number[]): LossEstimate | undefined {
  const passes = foundByPass.length;
  const total = foundByPass.reduce((sum, found) => sum + found, 0);
  if (passes < 2 || total < MIN_ANSWERS) return undefined;
  const later = total - (foundByPass[0] ?? 0);
  const [low, high] = wilsonInterval(later, total);
  const loss = lossOfLaterShare(later / total, passes);
  const lossLow = lossOfLaterShare(low, passes);
  const lossHigh = lossOfLaterShare(high, passes);
  return {
    loss,
    lossLow,
    lossHigh,
    completeness: 1 - loss ** passes,
    completenessLow: 1 - lossHigh ** passes,
    completenessHigh: 1 - lossLow ** passes,
  };
}

/** How many are missing where so many were found. */
export function missedOf(found: number, completeness: number): number {
  return completeness > 0 ? (found * (1 - completeness)) / completeness : 0;
}

/** The p for which (p - p^K) / (1 - p^K), the share found after the first pass, is `share`; it grows with p. */
function lossOfLaterShare(share: number, passes: number): number {
  let low = 0;
  let high = 1;
  for (let i = 0; i < BISECTIONS; i++) {
    const p = (low + high) / 2;
    const missed = p ** passes;
    if ((p - missed) / (1 - missed) < share) low = p;
    else high = p;
  }
  return share === 0 ? 0 : (low + high) / 2;
}

/** The interval of a proportion (Wilson, 1927): sensible for few and for none, where the plain one is not. */
function wilsonInterval(hits: number, total: number): readonly [number, number] {
  const share = hits / total;
  const z2 = (Z * Z) / total;
  const centre = share + z2 / 2;
  const spread = Z * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total));
  const low = hits === 0 ? 0 : Math.max(0, (centre - spread) / (1 + z2));
  return [low, Math.min(1, (centre + spread) / (1 + z2))];
}
