/** Numbers that look random and follow from a seed: xorshift32 (G. Marsaglia, 2003). Fast enough for millions of cases. */

export class Random {
  private state: number;

  constructor(seed: number) {
    // Zero would stay zero.
    this.state = seed | 0 || 1;
  }

  int32(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return this.state;
  }

  /** From 0 to `limit` - 1. */
  below(limit: number): number {
    return (this.int32() >>> 0) % limit;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }
}
