/** How long calls took, and how they ended. */

export class Latencies {
  private readonly values: number[] = [];
  /** What went wrong → how often. */
  readonly errors = new Map<string, number>();

  get count(): number {
    return this.values.length;
  }

  get errorCount(): number {
    return [...this.errors.values()].reduce((sum, count) => sum + count, 0);
  }

  add(ms: number): void {
    this.values.push(ms);
  }

  addError(what: string): void {
    this.errors.set(what, (this.errors.get(what) ?? 0) + 1);
  }

  /** In milliseconds, of calls that went well: the value that `share` of them do not exceed. */
  quantile(share: number): number {
    const sorted = this.values.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  }

  /** `20000 calls, 0 errors; p50 1.2 ms, p99 7.9 ms, max 31.0 ms` */
  describe(): string {
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => `${this.quantile(share).toFixed(1)} ms`);
    const errors = [...this.errors].map(([what, count]) => `${count} × ${what}`).join(", ");
    const calls = `${this.count} calls, ${this.errorCount} errors${errors === "" ? "" : ` (${errors})`}`;
    return `${calls}; p50 ${p50}, p99 ${p99}, max ${max}`;
  }
}
