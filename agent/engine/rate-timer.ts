/** Lets the search for the best rate see one epoch after the other, and obey it. */

import { type RateMove, RateSearch, START_RATE_PPS } from "./accuracy/rate-search.ts";
import {
  counter,
  KERNEL_DROPS,
  PACKETS_SENT,
  RATE_PPS,
  SEND_ERRORS,
  setFlag,
  SOUNDING,
  SOUNDING_EPOCH,
  SOUNDING_EPOCHS,
  SOUNDINGS_ANSWERED,
  SOUNDINGS_SENT,
  sumOfLanes,
} from "./control-block.ts";
import type { WorkerPlan } from "./plan.ts";

/** Long enough for most answers; later ones count for their own epoch, which is judged one epoch after its end. */
const EPOCH_MS = 300;

interface Totals {
  readonly answered: number;
  readonly soundings: number;
}

export class RateTimer {
  private readonly plan: WorkerPlan;
  private readonly note: (message: string) => void;
  private readonly search = new RateSearch();
  private timer: ReturnType<typeof setInterval> | undefined;
  private epoch = 0;
  private sent = 0;
  private drops = 0;
  private lastMs = 0;
  private told = START_RATE_PPS;
  /** By epoch place: totals when the epoch began; the counters only grow. */
  private readonly before: Totals[] = Array.from({ length: SOUNDING_EPOCHS }, () => ({
    answered: 0,
    soundings: 0,
  }));
  private readonly sentPps: number[] = [];

  constructor(plan: WorkerPlan, note: (message: string) => void) {
    this.plan = plan;
    this.note = note;
  }

  start(): void {
    // A connection's answer tells no port of ours, and so not that it was a sounding: the search stays blind there.
    if (this.plan.probing === "packets") setFlag(this.plan.control, SOUNDING, 1);
    this.lastMs = performance.now();
    this.timer = setInterval(() => this.endEpoch(), EPOCH_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private endEpoch(): void {
    const { control } = this.plan;
    // Somebody set a rate by hand: it stands.
    if (counter(control, RATE_PPS) !== this.search.ratePps) {
      setFlag(control, SOUNDING, 0);
      this.stop();
      return;
    }
    const nowMs = performance.now();
    const sent = sumOfLanes(control, PACKETS_SENT);
    const drops = counter(control, KERNEL_DROPS) + sumOfLanes(control, SEND_ERRORS);
    this.sentPps[this.epoch % SOUNDING_EPOCHS] = ((sent - this.sent) * 1_000) / (nowMs - this.lastMs);
    const judged = this.epoch - 1;
    const move =
      judged < 0
        ? undefined
        : this.search.next({
            ...this.countsOf(judged),
            sentPps: this.sentPps[judged % SOUNDING_EPOCHS] ?? 0,
            drops: drops - this.drops,
          });
    this.sent = sent;
    this.drops = drops;
    this.lastMs = nowMs;
    this.epoch++;
    this.before[this.epoch % SOUNDING_EPOCHS] = this.totalsOf(this.epoch);
    setFlag(control, SOUNDING_EPOCH, this.epoch);
    if (move !== undefined) {
      control.counters[RATE_PPS] = move.ratePps;
      this.tell(move);
    }
  }

  /** Small steps are not worth a line each. */
  private tell({ ratePps, why }: RateMove): void {
    const change = ratePps / this.told;
    if (change < 1.25 && change > 0.8) return;
    this.told = ratePps;
    this.note(`rate ${ratePps} packets/s: ${why}`);
  }

  private countsOf(epoch: number): { soundingsSent: number; soundingsAnswered: number } {
    const before = this.before[epoch % SOUNDING_EPOCHS] ?? { answered: 0, soundings: 0 };
    const now = this.totalsOf(epoch);
    return {
      soundingsSent: now.soundings - before.soundings,
      soundingsAnswered: now.answered - before.answered,
    };
  }

  private totalsOf(epoch: number): Totals {
    const { control } = this.plan;
    const place = epoch % SOUNDING_EPOCHS;
    return {
      answered: counter(control, SOUNDINGS_ANSWERED + place),
      soundings: sumOfLanes(control, SOUNDINGS_SENT + place),
    };
  }
}
