/**
 * Who looks at which part of a scope, and how fast. Scanners that are assigned to a network directly stand for each
 * other: together they are one vantage point. Members of a group each look for themselves.
 */

import { poolVantage, scannerVantage } from "../../store/vantages.ts";
import { effectiveRatePps, equalShare } from "../rates.ts";
import { OWN_RATE_KEY, type PlanPart } from "./plan-scope.ts";

export interface ScannerFacts {
  readonly id: number;
  readonly name: string;
  /** Probes per second; 0 is unlimited. */
  readonly rateLimit: number;
  readonly capabilities: readonly string[];
  /** False while it gets no jobs: disabled, or not approved. */
  readonly mayWork: boolean;
}

export interface PlanVantage {
  readonly key: string;
  /** All that belong to it. */
  readonly scannerIds: readonly number[];
  /** Those that get jobs. */
  readonly able: readonly ScannerFacts[];
  /** Why there are none. */
  readonly impossible: string | undefined;
}

/** A part as one vantage point looks at it. */
export interface Look {
  readonly part: PlanPart;
  readonly vantage: PlanVantage;
  /** The lowest limit; 0 is unlimited. */
  readonly ratePps: number;
  readonly rateKey: string | null;
}

/**
 * @returns looks that must not overlap, together: those of the same scanners. In each the slowest come first, so that
 *   what several name is scanned at the lowest of their limits.
 */
export function vantagesOf(
  parts: readonly PlanPart[],
  scanners: ReadonlyMap<number, ScannerFacts>,
): Look[][] {
  const looks = new Map<string, Look[]>();
  for (const part of parts) {
    const vantages = vantagesOfPart(part, scanners);
    for (const vantage of vantages) {
      const sameScanners = vantage.scannerIds.toSorted((a, b) => a - b).join();
      const together = looks.get(sameScanners) ?? [];
      looks.set(sameScanners, together);
      const ratePps = effectiveRatePps(equalShare(part.subnetRatePps, vantages.length), part.portListRatePps);
      together.push({ part, vantage, ratePps, rateKey: rateKeyOf(part) });
    }
  }
  for (const together of looks.values()) together.sort(bySpeed);
  return [...looks.values()];
}

function vantagesOfPart(
  { source, scannerIds, groups }: PlanPart,
  scanners: ReadonlyMap<number, ScannerFacts>,
): PlanVantage[] {
  const pool = [...new Set(scannerIds)].filter((id) => scanners.has(id));
  const [only] = pool;
  const vantages = new Map<string, PlanVantage>();
  const add = (key: string, ids: readonly number[]): void => {
    const able = ids.flatMap((id) => scanners.get(id) ?? []).filter(({ mayWork }) => mayWork);
    if (able.length > 0) vantages.set(key, { key, scannerIds: ids, able, impossible: undefined });
  };
  for (const id of groups.flatMap((group) => group.scannerIds)) add(scannerVantage(id), [id]);
  // A pool of one is that scanner: what it sees is compared with all else that it sees.
  if (only !== undefined) add(pool.length === 1 ? scannerVantage(only) : poolVantage(source), pool);
  return [...vantages.values()];
}

/** What the limit is of: jobs that run at the same time share it. */
function rateKeyOf({ source, portListId, subnetRatePps, portListRatePps }: PlanPart): string | null {
  if (source.kind === "scan") return OWN_RATE_KEY;
  if (subnetRatePps > 0) return `${source.kind}:${source.id}`;
  return portListRatePps > 0 ? `ports:${portListId}` : null;
}

function bySpeed(a: Look, b: Look): number {
  const pace = ({ ratePps }: Look): number => (ratePps === 0 ? Infinity : ratePps);
  if (a.ratePps !== b.ratePps) return pace(a) - pace(b);
  const kind = a.part.source.kind.localeCompare(b.part.source.kind);
  return kind || a.part.source.id - b.part.source.id || a.part.portListId - b.part.portListId;
}
