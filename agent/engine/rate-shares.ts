/**
 * One limit over several scans at a time: what each may use of a scanner's own rate. Pure; whoever runs the scans joins
 * them to a budget and leaves when they end.
 */

/** As a limit, and as what a scan wants. */
const UNLIMITED = 0;

/**
 * Divides `limitPps` among scans: equal shares, but nobody gets more than it wants, and what one leaves is the others'
 * (max-min fairness by water-filling; Bertsekas and Gallager, "Data Networks", 6.5.2).
 * @param limitPps probes a second of all together; 0 is unlimited
 * @param wants each scan's own limit; 0 is unlimited
 * @returns a share for each want; 0 is unlimited, and comes only where both limit and want are
 */
export function fairShares(limitPps: number, wants: readonly number[]): number[] {
  if (limitPps === UNLIMITED) return [...wants];
  const shares = wants.map(() => 0);
  let leftPps = limitPps;
  let leftScans = wants.length;
  // Who wants least is served first: what it leaves of an equal share is there for all who follow.
  const byWant = wants.map((want, i) => ({ want: want === UNLIMITED ? Infinity : want, i }));
  for (const { want, i } of byWant.toSorted((a, b) => a.want - b.want)) {
    const share = Math.min(want, leftPps / leftScans);
    shares[i] = share;
    leftPps -= share;
    leftScans--;
  }
  return shares;
}

/** A scan in a budget, as its owner holds it. */
export interface BudgetMember {
  /** Changes what the scan wants; 0 is unlimited. */
  setWant(wantPps: number): void;
  /** Its share goes to the others. Once is enough. */
  leave(): void;
}

interface Entry {
  wantPps: number;
  sharePps: number | undefined;
  readonly setRate: (ratePps: number) => void;
}

/** Keeps concurrent scans together under one limit, whatever comes, goes or changes. */
export class RateBudget {
  private limitPps: number;
  private readonly entries = new Set<Entry>();

  /** @param limitPps 0 is unlimited */
  constructor(limitPps: number) {
    this.limitPps = limitPps;
  }

  /**
   * Adds a scan. Shares that shrink are told before those that grow, so that the sum never passes the limit.
   * @param wantPps the scan's own limit; 0 is unlimited
   * @param setRate called at once with the first share, and whenever it changes
   */
  join(wantPps: number, setRate: (ratePps: number) => void): BudgetMember {
    const entry: Entry = { wantPps, sharePps: undefined, setRate };
    this.entries.add(entry);
    this.divide();
    return {
      setWant: (newWantPps) => {
        entry.wantPps = newWantPps;
        if (this.entries.has(entry)) this.divide();
      },
      leave: () => {
        if (this.entries.delete(entry)) this.divide();
      },
    };
  }

  /** Changes the limit of all together; 0 is unlimited. */
  setLimit(limitPps: number): void {
    this.limitPps = limitPps;
    this.divide();
  }

  private divide(): void {
    const entries = [...this.entries];
    const shares = fairShares(
      this.limitPps,
      entries.map(({ wantPps }) => wantPps),
    );
    const changes = entries
      .map((entry, i) => {
        const sharePps = shares[i] ?? 0;
        return { entry, sharePps, growth: growthOf(entry.sharePps, sharePps) };
      })
      .filter(({ growth }) => growth !== 0)
      .toSorted((a, b) => a.growth - b.growth);
    for (const { entry, sharePps } of changes) {
      entry.sharePps = sharePps;
      entry.setRate(sharePps);
    }
  }
}

/** How much faster the scan becomes. One that has no share yet has begun with nothing. */
function growthOf(before: number | undefined, after: number): number {
  const of = (ratePps: number): number => (ratePps === UNLIMITED ? Number.MAX_VALUE : ratePps);
  return of(after) - (before === undefined ? 0 : of(before));
}
