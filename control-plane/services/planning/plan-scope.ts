/** What a plan is made from: a resolved template, or what an operator wrote down for one scan. */

import type { AddressSet } from "#shared/net/address-set.ts";
import type { PortSet } from "#shared/net/port-spec.ts";
import type { ScanEngine } from "#shared/protocol/job.ts";

/** One set of addresses with one list of ports, and who looks at it. */
export interface PlanPart {
  /** `scan` is what an operator wrote down for one scan. */
  readonly source: {
    readonly kind: "subnet" | "discovery" | "scan";
    readonly id: number;
    readonly name: string;
  };
  readonly portListId: number;
  readonly addresses: AddressSet;
  readonly ports: PortSet;
  /** 0 is unlimited. Divided equally among the vantage points. */
  readonly subnetRatePps: number;
  /** 0 is unlimited. Of each vantage point. */
  readonly portListRatePps: number;
  /** Scanners that stand for each other: one vantage point. */
  readonly scannerIds: readonly number[];
  /** Scanners that each look for themselves. */
  readonly groups: readonly { readonly scannerIds: readonly number[] }[];
}

export interface PlanScope {
  readonly engine: ScanEngine;
  readonly options: { readonly retries: number; readonly portTimeoutMs: number };
  readonly parts: readonly PlanPart[];
}

/** Stands for a rate key of the scan's own. */
export const OWN_RATE_KEY = "scan";
