/**
 * Compares any two scans, vantage point by vantage point. Both are read in the order of their keys, part by part, so
 * that scans of any size are compared in little memory.
 */

import { formatAddressBytes } from "#shared/net/address-bytes.ts";
import type { Clock } from "#shared/clock.ts";
import type { Difference, DiffQuery, diffSchema, Observed } from "#shared/protocol/comparisons.ts";
import type { z } from "zod";
import {
  comparePorts,
  formatKey,
  parseKey,
  type PortKey,
  protocolOf,
  stateOf,
} from "../store/endpoint-key.ts";
import { type ComparedResult, listComparedResults, type ResultsOf } from "../store/results.ts";
import type { ScanRow } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { listVantagesOfScan, type VantageRow } from "../store/vantages.ts";
import { refusal } from "./refusal.ts";
import { requireScan, resultsOf } from "./results.ts";
import { loadCoverage, type ScanCoverage } from "./scan-coverage.ts";
import { differenceAt, type PortDifference, sideBySide } from "./scan-differences.ts";
import { BEFORE_ALL, PAGE_TIME_MS } from "./search-page.ts";

/** Results of each scan in one part. */
const PART = 10_000;

type Choice = Pick<DiffQuery, "with" | "vantage" | "withVantage">;

/** A vantage point of the one scan and one of the other. */
interface Pair {
  readonly before: VantageRow;
  readonly after: VantageRow;
}

interface Compared {
  readonly scan: ScanRow;
  readonly other: ScanRow;
  readonly pairs: readonly Pair[];
}

/** Differences, and up to where they were looked for. */
interface DiffPart {
  readonly differences: readonly Difference[];
  /** Where the next part begins; null when there is none. */
  readonly next: string | null;
}

export class ScanDiff {
  private readonly store: Store;
  private readonly clock: Clock;

  constructor(store: Store, clock: Clock) {
    this.store = store;
    this.clock = clock;
  }

  /** @throws PortolanError NOT_FOUND, and CONFLICT when the scans have no vantage point in common */
  async page(scanId: number, query: DiffQuery): Promise<z.input<typeof diffSchema>> {
    const endMs = this.clock.monotonicMs() + PAGE_TIME_MS;
    const differences: Difference[] = [];
    let next: string | null = query.cursor ?? null;
    for await (const part of this.parts(scanId, query, next, query.limit)) {
      differences.push(...part.differences);
      next = part.next;
      if (differences.length >= query.limit || this.clock.monotonicMs() >= endMs) break;
    }
    return { scanId, withScanId: query.with, differences, nextCursor: next };
  }

  /** All of them, some at a time. Throws as `page` does, before the first. */
  async *all(scanId: number, choice: Choice): AsyncGenerator<readonly Difference[]> {
    for await (const { differences } of this.parts(scanId, choice, null, Number.POSITIVE_INFINITY)) {
      yield differences;
    }
  }

  /** @param limit of all parts together; the last one ends with it */
  private async *parts(
    scanId: number,
    choice: Choice,
    cursor: string | null,
    limit: number,
  ): AsyncGenerator<DiffPart> {
    const compared = await this.store.run((session) => chooseVantages(session, scanId, choice));
    const start = cursor === null ? undefined : parseKey(cursor);
    let left = limit;
    for (const [index, pair] of compared.pairs.entries()) {
      if (start !== undefined && pair.before.id < start.vantage_id) continue;
      let after: PortKey | undefined = start?.vantage_id === pair.before.id ? start : undefined;
      const coverages = await this.store.run(async (session) => ({
        before: await loadCoverage(session, compared.scan, pair.before.id),
        after: await loadCoverage(session, compared.other, pair.after.id),
      }));
      for (;;) {
        const [before, afterwards] = await this.store.run((session) =>
          readParts(session, compared, pair, after),
        );
        const upTo = lastOfBoth(before, afterwards);
        const isWithin = (result: ComparedResult): boolean =>
          upTo === undefined || comparePorts(result, upTo) <= 0;
        const found: Difference[] = [];
        let position: PortKey | undefined = upTo;
        for (const [a, b] of sideBySide(before.filter(isWithin), afterwards.filter(isWithin))) {
          const difference = differenceAt(a, b, coverages);
          if (difference === undefined) continue;
          found.push(viewDifference(difference, pair, coverages));
          if (found.length < left) continue;
          position = difference;
          break;
        }
        left -= found.length;
        yield { differences: found, next: nextCursor(compared.pairs, index, position) };
        if (left <= 0) return;
        if (upTo === undefined) break;
        after = upTo;
      }
    }
  }
}

/** Null after the last place of the last pair. A pair that is through ends with the place after all of its addresses. */
function nextCursor(pairs: readonly Pair[], index: number, position: PortKey | undefined): string | null {
  const pair = pairs[index];
  if (pair === undefined) return null;
  if (position !== undefined) return formatKey({ vantage_id: pair.before.id, ...keyOf(position) });
  const next = pairs[index + 1];
  return next === undefined ? null : formatKey({ vantage_id: next.before.id, ...BEFORE_ALL });
}

function keyOf({ address, protocol, port }: PortKey): PortKey {
  return { address, protocol, port };
}

async function readParts(
  session: Session,
  { scan, other }: Compared,
  pair: Pair,
  after: PortKey | undefined,
): Promise<[ComparedResult[], ComparedResult[]]> {
  const read = (of: ResultsOf, vantage: VantageRow): Promise<ComparedResult[]> =>
    listComparedResults(session, of, vantage.id, { after }, PART);
  return [await read(resultsOf(scan), pair.before), await read(resultsOf(other), pair.after)];
}

/** Up to here both lists are known; undefined where both end. */
function lastOfBoth(
  before: readonly ComparedResult[],
  after: readonly ComparedResult[],
): ComparedResult | undefined {
  const ends = [before, after].flatMap((list) => (list.length < PART ? [] : (list.at(-1) ?? [])));
  return ends.toSorted(comparePorts)[0];
}

/**
 * The vantage points named; else those that both scans have; else the only one of each.
 * @throws PortolanError NOT_FOUND, CONFLICT
 */
async function chooseVantages(session: Session, scanId: number, choice: Choice): Promise<Compared> {
  const scan = await requireScan(session, scanId);
  const other = await requireScan(session, choice.with);
  const own = await listVantagesOfScan(session, scan.id);
  const others = await listVantagesOfScan(session, other.id);
  if (choice.vantage !== undefined || choice.withVantage !== undefined) {
    const vantage = choice.vantage ?? choice.withVantage;
    const before = own.find(({ key }) => key === vantage);
    const after = others.find(({ key }) => key === (choice.withVantage ?? vantage));
    if (before === undefined) throw refusal("NOT_FOUND", `scan ${scan.id} has no vantage point ${vantage}`);
    if (after === undefined) {
      throw refusal("NOT_FOUND", `scan ${other.id} has no vantage point ${choice.withVantage ?? vantage}`);
    }
    return { scan, other, pairs: [{ before, after }] };
  }
  const pairs = own.flatMap((before) => {
    const after = others.find(({ id }) => id === before.id);
    return after === undefined ? [] : [{ before, after }];
  });
  const [before] = own;
  const [after] = others;
  if (
    pairs.length === 0 &&
    own.length === 1 &&
    others.length === 1 &&
    before !== undefined &&
    after !== undefined
  ) {
    return { scan, other, pairs: [{ before, after }] };
  }
  if (pairs.length > 0) return { scan, other, pairs };
  throw refusal(
    "CONFLICT",
    `scans ${scan.id} and ${other.id} have no vantage point in common: name one of each with 'vantage' and 'withVantage'`,
    { vantages: own.map(({ key }) => key), withVantages: others.map(({ key }) => key) },
  );
}

function viewDifference(
  { address, protocol, port, kind, before, after }: PortDifference,
  pair: Pair,
  coverages: { readonly before: ScanCoverage; readonly after: ScanCoverage },
): Difference {
  const key = { address, protocol, port };
  return {
    vantage: pair.before.key,
    withVantage: pair.after.key,
    address: formatAddressBytes(address),
    protocol: protocolOf(protocol),
    port,
    kind,
    from: observed(before, coverages.before.covers(key)),
    to: observed(after, coverages.after.covers(key)),
  };
}

function observed(result: ComparedResult | undefined, isCovered: boolean): Observed {
  if (result === undefined) return { state: null, covered: isCovered };
  const { service, product, version } = result;
  return {
    state: stateOf(result.state),
    // Whoever saw it looked there.
    covered: true,
    ...(service === null ? {} : { service }),
    ...(product === null ? {} : { product }),
    ...(version === null ? {} : { version }),
  };
}
