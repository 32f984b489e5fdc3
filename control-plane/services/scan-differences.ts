/**
 * How two lists of results differ, both in the order of address, protocol and port. Pure, and one pass: of each list one
 * result is looked at at a time.
 */

import type { DifferenceKind } from "#shared/protocol/comparisons.ts";
import { comparePorts, type PortKey, STATE_CODES } from "../store/endpoint-key.ts";
import type { ComparedResult } from "../store/results.ts";
import { contradicts } from "./address-changes.ts";
import type { ScanCoverage } from "./scan-coverage.ts";

export interface PortDifference extends PortKey {
  readonly kind: DifferenceKind;
  /** Undefined: not reported. */
  readonly before: ComparedResult | undefined;
  readonly after: ComparedResult | undefined;
}

/** What the two scans have looked at. */
export interface Coverages {
  readonly before: ScanCoverage;
  readonly after: ScanCoverage;
}

/** The difference at one port, which at least one of the two reported; undefined where there is none. */
export function differenceAt(
  before: ComparedResult | undefined,
  after: ComparedResult | undefined,
  coverages: Coverages,
): PortDifference | undefined {
  const port = before ?? after;
  if (port === undefined) return undefined;
  const kind = kindOf(before, after, coverages);
  if (kind === undefined) return undefined;
  const { address, protocol, port: number } = port;
  return { address, protocol, port: number, kind, before, after };
}

function kindOf(
  before: ComparedResult | undefined,
  after: ComparedResult | undefined,
  coverages: Coverages,
): DifferenceKind | undefined {
  if (before !== undefined && after !== undefined) return kindOfBoth(before, after);
  if (before !== undefined) return kindOfOne(before, coverages.after, "closed");
  return after === undefined ? undefined : kindOfOne(after, coverages.before, "opened");
}

function kindOfBoth(before: ComparedResult, after: ComparedResult): DifferenceKind | undefined {
  const { open } = STATE_CODES;
  if (before.state === after.state) {
    return after.state === open && contradicts(before, after) ? "service_changed" : undefined;
  }
  if (after.state === open) return "opened";
  return before.state === open ? "closed" : "state_changed";
}

/** Reported by one of the two only. */
function kindOfOne(
  reported: ComparedResult,
  other: ScanCoverage,
  whenOpen: "opened" | "closed",
): DifferenceKind | undefined {
  const isOpen = reported.state === STATE_CODES.open;
  // What nobody looked at is worth telling where a port is open; there may be millions that are not.
  if (!other.covers(reported)) return isOpen ? "not_covered" : undefined;
  if (isOpen) return whenOpen;
  return other.isSilentAbout(reported.state) ? undefined : "state_changed";
}

/** Puts two parts of the lists side by side: the results of both, or of one, for each port. */
export function* sideBySide(
  before: readonly ComparedResult[],
  after: readonly ComparedResult[],
): Generator<[ComparedResult | undefined, ComparedResult | undefined]> {
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    const a = before[i];
    const b = after[j];
    const order = a === undefined ? 1 : b === undefined ? -1 : comparePorts(a, b);
    yield [order <= 0 ? a : undefined, order >= 0 ? b : undefined];
    if (order <= 0) i++;
    if (order >= 0) j++;
  }
}
