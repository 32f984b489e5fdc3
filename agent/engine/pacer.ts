/**
 * "You may send k now." A token bucket that follows a schedule, so that its error does not grow with time.
 * Pure: time comes in as an argument, monotonic milliseconds.
 *
 * A thread that was held up catches up at once, but by no more than CATCH_UP_MS of sending: short stalls cost
 * nothing, long ones do not become a burst that drowns a network.
 */

const CATCH_UP_MS = 100;

export class Pacer {
  private ratePps: number;
  /** Since this moment `granted` probes went out under the present rate. */
  private startMs: number;
  private granted = 0;

  /** @param ratePps probes per second; 0 is unlimited */
  constructor(ratePps: number, nowMs: number) {
    this.ratePps = ratePps;
    this.startMs = nowMs;
  }

  /** Changes the rate from now on. What was saved up under the old rate is given up. */
  setRate(ratePps: number, nowMs: number): void {
    if (ratePps === this.ratePps) return;
    this.ratePps = ratePps;
    this.startMs = nowMs;
    this.granted = 0;
  }

  /** How many probes, at most `max`, may go now. They count as sent; `giveBack` undoes that. */
  take(nowMs: number, max: number): number {
    if (this.ratePps === 0) return max;
    const due = this.dueAt(nowMs);
    // Whole probes: a part of one, made up for again at each turn, would add up to more than the rate.
    const most = Math.max(1, Math.floor((this.ratePps * CATCH_UP_MS) / 1_000));
    if (due - this.granted > most) {
      // Held up for longer than may be caught up: forget the rest.
      this.startMs = nowMs - ((this.granted + most) * 1_000) / this.ratePps;
    }
    const available = Math.min(due - this.granted, most);
    const taken = Math.max(0, Math.min(max, available));
    this.granted += taken;
    return taken;
  }

  giveBack(count: number): void {
    this.granted -= count;
  }

  /** Milliseconds until `take` gives at least one. */
  waitMs(nowMs: number): number {
    if (this.ratePps === 0) return 0;
    return Math.max(0, this.startMs + (this.granted * 1_000) / this.ratePps - nowMs);
  }

  /** The first probe is due at once, each next 1/rate later. */
  private dueAt(nowMs: number): number {
    return Math.floor(((nowMs - this.startMs) * this.ratePps) / 1_000 + 1e-9) + 1;
  }
}
