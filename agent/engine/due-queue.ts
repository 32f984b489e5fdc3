/** What waits for its time: a binary heap, the earliest first. Pure: time comes in. */

export class DueQueue {
  private readonly dueMs: number[] = [];
  private readonly items: number[] = [];

  count(): number {
    return this.items.length;
  }

  /** When the first of what waits is due; Infinity where nothing waits. */
  nextDueMs(): number {
    return this.dueMs[0] ?? Number.POSITIVE_INFINITY;
  }

  /** The least of what waits, by number; Infinity where nothing does. */
  least(): number {
    return this.items.reduce((least, item) => Math.min(least, item), Number.POSITIVE_INFINITY);
  }

  /** @param item a whole number from 0 */
  add(item: number, dueMs: number): void {
    let at = this.items.length;
    this.items.push(item);
    this.dueMs.push(dueMs);
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if ((this.dueMs[parent] ?? 0) <= (this.dueMs[at] ?? 0)) break;
      this.swap(at, parent);
      at = parent;
    }
  }

  /** Something whose time has come, or -1. */
  takeDue(nowMs: number): number {
    if (this.nextDueMs() > nowMs) return -1;
    const item = this.items[0] ?? -1;
    const lastItem = this.items.pop() ?? -1;
    const lastDueMs = this.dueMs.pop() ?? 0;
    if (this.items.length === 0) return item;
    this.items[0] = lastItem;
    this.dueMs[0] = lastDueMs;
    this.sink();
    return item;
  }

  private sink(): void {
    const count = this.items.length;
    let at = 0;
    for (;;) {
      const left = at * 2 + 1;
      if (left >= count) return;
      const right = left + 1;
      const least = right < count && (this.dueMs[right] ?? 0) < (this.dueMs[left] ?? 0) ? right : left;
      if ((this.dueMs[at] ?? 0) <= (this.dueMs[least] ?? 0)) return;
      this.swap(at, least);
      at = least;
    }
  }

  private swap(a: number, b: number): void {
    [this.items[a], this.items[b]] = [this.items[b] ?? -1, this.items[a] ?? -1];
    [this.dueMs[a], this.dueMs[b]] = [this.dueMs[b] ?? 0, this.dueMs[a] ?? 0];
  }
}
