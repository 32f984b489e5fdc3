/** One line on a terminal that says how far a scan is. Draws nothing where stderr is no terminal. */

import type { Scan } from "../engine/scan.ts";
import type { TextOutput } from "./context.ts";

const INTERVAL_MS = 250;
const CLEAR_LINE = "\r\u001B[K";

export class ProgressLine {
  private readonly scan: Scan;
  private readonly output: TextOutput;
  private readonly enabled: boolean;
  private timer: ReturnType<typeof setInterval> | undefined;
  private startedMs = 0;
  private lastMs = 0;
  private lastSent = 0;

  constructor(scan: Scan, output: TextOutput, enabled: boolean) {
    this.scan = scan;
    this.output = output;
    this.enabled = enabled && output.isTerminal;
  }

  start(): void {
    if (!this.enabled) return;
    this.startedMs = this.lastMs = performance.now();
    this.timer = setInterval(() => this.draw(), INTERVAL_MS);
  }

  stop(): void {
    if (!this.enabled) return;
    clearInterval(this.timer);
    void this.output.write(CLEAR_LINE);
  }

  /** Makes room for something else on the terminal. The line comes back by itself. */
  clear(): void {
    if (this.timer !== undefined) void this.output.write(CLEAR_LINE);
  }

  private draw(): void {
    const { pass, passes, probesPlanned, probesCovered, packetsSent, open } = this.scan.progress();
    const nowMs = performance.now();
    const rate = ((packetsSent - this.lastSent) * 1_000) / (nowMs - this.lastMs);
    const share = probesCovered / probesPlanned;
    const leftSeconds = ((nowMs - this.startedMs) * (1 / share - 1)) / 1_000;
    const rest =
      share < 1
        ? `${Number.isFinite(leftSeconds) ? Math.ceil(leftSeconds) : "?"} s left`
        : packetsSent > this.lastSent
          ? `pass ${pass} of ${passes}`
          : "waiting for answers";
    const percent = (share * 100).toFixed(1);
    void this.output.write(`${CLEAR_LINE}${percent} %  ${Math.round(rate)} packets/s  ${open} open  ${rest}`);
    this.lastMs = nowMs;
    this.lastSent = packetsSent;
  }
}
