/**
 * What a scan is to do, and its translation into what the Workers need: numbers and shared memory, nothing to look up.
 */

import type { NumberRange } from "#shared/net/ranges.ts";
import type { PortState } from "#shared/protocol/fields.ts";
import type { ControlBlock } from "./control-block.ts";
import { newControlBlock } from "./control-block.ts";
import { type AnsweredSet, newAnsweredSet } from "./dedup.ts";
import type { RouteSegment } from "./link/route.ts";
import type { CookieKey } from "./packet/cookie.ts";
import { newRecordRing, type RecordRing } from "./records.ts";
import { newPermutation, type Permutation } from "./targets/permutation.ts";
import { buildSpace, type ProbeSpace } from "./targets/space.ts";

export const LINK_NAMES = ["auto", "packet", "raw", "connect"] as const;
/** `packet` and `raw` send SYN packets, `connect` makes ordinary connections; `auto` takes the best that works. */
export type LinkName = (typeof LINK_NAMES)[number];

export interface ScanRequest {
  /** Sorted and disjoint, nothing in it that must not be probed. */
  readonly addresses: readonly NumberRange[];
  /** TCP ports, sorted and disjoint. */
  readonly ports: readonly NumberRange[];
  /** 0 is unlimited. */
  readonly ratePps: number;
  /** Passes after the first, over what did not answer. */
  readonly retries: number;
  readonly portTimeoutMs: number;
  /** The scan stops after this and is then partial. */
  readonly maxRuntimeMs: number | undefined;
  readonly link: LinkName;
  /** The same seed gives the same order of probes. */
  readonly seed: number;
  /** States to report one by one. All are counted. */
  readonly report: readonly PortState[];
}

/** How probes are made: our own SYN packets, or the kernel's connections. */
export type ProbeKind = "syn" | "connect";

/** Sent to each Worker once, at its start. */
export interface WorkerPlan {
  readonly probing: ProbeKind;
  readonly segments: readonly RouteSegment[];
  readonly space: ProbeSpace;
  readonly permutation: Permutation;
  readonly cookie: CookieKey;
  /** Pass p sends from port firstSourcePort + p - 1, so that an answer tells its pass. */
  readonly firstSourcePort: number;
  readonly passes: number;
  readonly portTimeoutMs: number;
  readonly report: readonly PortState[];
  readonly control: ControlBlock;
  readonly answered: AnsweredSet;
  readonly records: RecordRing;
}

/**
 * @param segments the routed targets; their numbering is the scan's
 * @throws UsageError NOTHING_TO_SCAN, SCOPE_TOO_LARGE
 */
export function compilePlan(
  request: ScanRequest,
  probing: ProbeKind,
  segments: readonly RouteSegment[],
  firstSourcePort: number,
  cookie: CookieKey,
): WorkerPlan {
  // Segments are the targets cut finer, so an address number names its segment too.
  const space = buildSpace(segments, request.ports);
  return {
    probing,
    segments,
    space,
    permutation: newPermutation(space.size, request.seed),
    cookie,
    firstSourcePort,
    passes: request.retries + 1,
    portTimeoutMs: request.portTimeoutMs,
    report: request.report,
    control: newControlBlock(request.ratePps),
    answered: newAnsweredSet(space.size),
    records: newRecordRing(),
  };
}
