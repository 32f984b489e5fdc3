/**
 * Where a scan stood a while ago. A scan that is stopped begins again at the last position whose answers can have come,
 * not at the last one that was sent: what was under way would otherwise be lost between the two runs. Pure.
 */

const STEP_MS = 50;

export class SentHistory {
  private readonly backMs: number;
  private timesMs: number[] = [];
  private positions: number[] = [];
  private oldest = 0;

  /** @param backMs how long an answer may take */
  constructor(backMs: number) {
    this.backMs = backMs;
  }

  restart(position: number, nowMs: number): void {
    this.timesMs = [nowMs];
    this.positions = [position];
    this.oldest = position;
  }

  /** Notes that everything before `position` is sent, and tells which position was reached `backMs` ago. */
  positionAt(nowMs: number, position: number): number {
    if (nowMs - (this.timesMs.at(-1) ?? 0) >= STEP_MS) {
      this.timesMs.push(nowMs);
      this.positions.push(position);
    }
    while (this.timesMs.length > 0 && (this.timesMs[0] ?? nowMs) <= nowMs - this.backMs) {
      this.oldest = this.positions[0] ?? this.oldest;
      this.timesMs.shift();
      this.positions.shift();
    }
    return Math.min(this.oldest, position);
  }
}
