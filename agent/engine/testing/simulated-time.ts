/** A clock for `performance.now`, so that hours of pacing pass in a moment. */

import { spyOn } from "bun:test";
import type { Clock } from "./fake-prober.ts";

export class SimulatedTime implements Clock {
  nowMs = 10_000;
  private readonly spy = spyOn(performance, "now").mockImplementation(() => this.nowMs);

  restore(): void {
    this.spy.mockRestore();
  }
}
