/** One line on a terminal that says how far a scan is. Draws nothing where stderr is no terminal. */

import type { Scan, ScanProgress } from "../engine/scan.ts";
import type { TextOutput } from "./context.ts";

const INTERVAL_MS = 250;
const CLEAR_LINE = "\r\u001B[K";
/** Of a terminal that does not say how wide it is. */
const DEFAULT_COLUMNS = 80;

const number = new Intl.NumberFormat("en-US");

export class ProgressLine {
  private readonly scan: Pick<Scan, "progress">;
  private readonly output: TextOutput;
  private readonly enabled: boolean;
  private timer: ReturnType<typeof setInterval> | undefined;
  private startedMs = 0;
  private startedAt = 0;
  private lastMs = 0;
  private lastSent = 0;

  constructor(scan: Pick<Scan, "progress">, output: TextOutput, enabled: boolean) {
    this.scan = scan;
    this.output = output;
    this.enabled = enabled && output.isTerminal;
  }

  start(): void {
    if (!this.enabled) return;
    this.startedMs = this.lastMs = performance.now();
    // A scan that is taken up again has done a part already, which says nothing about how fast this one is.
    this.startedAt = this.scan.progress().probesCovered;
    this.timer = setInterval(() => this.draw(), INTERVAL_MS);
  }

  stop(): void {
    if (!this.enabled) return;
    clearInterval(this.timer);
    this.timer = undefined;
    void this.output.write(CLEAR_LINE);
  }

  /** Makes room for something else on the terminal. The line comes back by itself. */
  clear(): void {
    if (this.timer !== undefined) void this.output.write(CLEAR_LINE);
  }

  private draw(): void {
    const progress = this.scan.progress();
    const nowMs = performance.now();
    const text = progressText(progress, {
      ratePps: ((progress.packetsSent - this.lastSent) * 1_000) / (nowMs - this.lastMs),
      coveredHere: progress.probesCovered - this.startedAt,
      elapsedMs: nowMs - this.startedMs,
      columns: this.output.columns() ?? DEFAULT_COLUMNS,
    });
    void this.output.write(CLEAR_LINE + text);
    this.lastMs = nowMs;
    this.lastSent = progress.packetsSent;
  }
}

export interface ProgressPace {
  readonly ratePps: number;
  /** Positions done since this run began, and how long ago that was. */
  readonly coveredHere: number;
  readonly elapsedMs: number;
  readonly columns: number;
}

/** As much as fits, the most important first. Never as wide as the terminal, where the cursor would begin a new line. */
export function progressText(progress: ScanProgress, pace: ProgressPace): string {
  const { probesPlanned, probesCovered, open } = progress;
  const parts = [
    `${((probesCovered / probesPlanned) * 100).toFixed(1)} %`,
    rest(progress, pace),
    `${number.format(open)} found`,
    `${number.format(Math.round(pace.ratePps))} packets/s`,
  ];
  let text = "";
  for (const part of parts) {
    const longer = text === "" ? part : `${text}  ${part}`;
    if (longer.length >= pace.columns) break;
    text = longer;
  }
  return text;
}

function rest({ probesPlanned, probesCovered, pass, passes }: ScanProgress, pace: ProgressPace): string {
  if (probesCovered >= probesPlanned)
    return pace.ratePps > 0 ? `pass ${pass} of ${passes}` : "waiting for answers";
  if (pace.coveredHere <= 0) return "starting";
  const leftMs = ((probesPlanned - probesCovered) * pace.elapsedMs) / pace.coveredHere;
  return `${durationText(leftMs)} left`;
}

/** The two largest units: `4 s`, `3 min 20 s`, `5 h 12 min`, `9 d 3 h`. */
export function durationText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  const units: readonly (readonly [number, string])[] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  const largest = units.findIndex(([size]) => seconds >= size);
  if (largest < 0) return "0 s";
  return units
    .slice(largest, largest + 2)
    .map(([size, unit], i) => {
      const [above] = units[largest + i - 1] ?? [Infinity];
      return { amount: Math.floor((i === 0 ? seconds : seconds % above) / size), unit };
    })
    .filter(({ amount }) => amount > 0)
    .map(({ amount, unit }) => `${amount} ${unit}`)
    .join(" ");
}
