/**
 * The sending loop of one lane: walks its share of the permuted space, window by window and pass by pass, no faster than
 * the pacer allows. What goes into a batch is question-batch.ts. The first lane stays until no canary is asked for.
 */

import {
  addToLane,
  CANARIES_OVER,
  CLOSED,
  counter,
  FILTERED_BY_ANSWER,
  flag,
  LANE_WINDOW,
  laneCounter,
  OPEN,
  PACKETS_SENT,
  PASS,
  PASSES_DONE,
  POSITION,
  RATE_PPS,
  REFUSED_FIRST_PASS,
  RESUME_POSITION,
  RUN,
  SEND_ERRORS,
  setFlag,
  setLane,
  STOP,
  WINDOW,
  WINDOW_OPEN,
  WINDOWS_DONE,
} from "./control-block.ts";
import { clearWindow, windowBit } from "./dedup.ts";
import { countAbsent } from "./link/neighbour-table.ts";
import type { Prober } from "./link/prober.ts";
import { BATCH_PACKETS } from "./link/transmitter.ts";
import { Pacer } from "./pacer.ts";
import type { WorkerPlan } from "./plan.ts";
import { QuestionBatch } from "./question-batch.ts";
import { isReaderBehind } from "./records.ts";
import { SentHistory } from "./sent-history.ts";
import { type LaneWindow, laneWindow, positionsBefore, shardSize } from "./targets/lane.ts";

const READER_WAIT_MS = 10;
const SETTLE_STEP_MS = 20;
const OTHER_LANES_WAIT_MS = 5;
const MAX_IDLE_MS = 100;
/**
 * An answer that comes during the next pass still counts, so waiting between passes saves a few probes and no answer.
 * Only after the last pass must the whole time be given.
 */
const SHARE_BETWEEN_PASSES = 0.25;

export class Sender {
  private readonly plan: WorkerPlan;
  private readonly prober: Prober;
  private readonly pacer: Pacer;
  private readonly batch: QuestionBatch;
  private readonly history: SentHistory;
  private absent = 0;

  constructor(plan: WorkerPlan, prober: Prober) {
    this.plan = plan;
    this.prober = prober;
    this.pacer = new Pacer(this.rate(), performance.now());
    this.batch = new QuestionBatch(plan, prober, this.window(plan.resume?.window ?? 0));
    this.history = new SentHistory(plan.portTimeoutMs);
  }

  /** Sends every window, or until told to stop. */
  run(): void {
    const { plan, prober } = this;
    const { control, lane, lanes, resume, answered } = plan;
    const firstWindow = resume?.window ?? 0;
    const firstPass = resume?.pass ?? 1;
    const from = resume?.lanePositions[lane] ?? 0;
    setLane(control, lane, LANE_WINDOW, firstWindow);
    setLane(control, lane, PASS, firstPass);
    setLane(control, lane, RESUME_POSITION, from);
    const before = positionsBefore(plan, firstWindow, lane, lanes);
    const inWindow = firstPass === 1 ? from : this.window(firstWindow).count;
    setLane(control, lane, POSITION, before + inWindow);

    prober.prepare();
    // Nothing is sent to hosts that are not there, so nothing is awaited from them.
    this.absent = countAbsent(plan.ways, plan.neighbours);
    for (let window = firstWindow; window < answered.windows && this.isRunning(); window++) {
      const isFirst = window === firstWindow;
      if (!isFirst) this.enterWindow(window);
      this.sendWindow(window, isFirst ? firstPass : 1, isFirst ? from : 0);
    }
    setLane(control, lane, PASSES_DONE, 1);
    if (lane === 0) this.sendLastCanaries();
  }

  /** Nobody begins a window before all have done the one before: its bits take the place of older ones. */
  private enterWindow(window: number): void {
    const { control, lane, lanes, answered } = this.plan;
    addToLane(control, lane, WINDOWS_DONE, 1);
    const done = laneCounter(control, lane, WINDOWS_DONE);
    if (lane === 0) {
      while (this.isRunning() && !this.haveAllDone(done, lanes)) this.idle(OTHER_LANES_WAIT_MS);
      // In this order: answers to what the bits held before must not be marked in the cleared ones.
      setFlag(control, WINDOW, window);
      clearWindow(answered, window);
      setFlag(control, WINDOW_OPEN, window);
    } else {
      while (this.isRunning() && flag(control, WINDOW_OPEN) !== window) this.idle(OTHER_LANES_WAIT_MS);
    }
    setLane(control, lane, LANE_WINDOW, window);
    setLane(control, lane, PASS, 1);
    setLane(control, lane, RESUME_POSITION, 0);
  }

  private haveAllDone(windows: number, lanes: number): boolean {
    for (let lane = 0; lane < lanes; lane++) {
      if (laneCounter(this.plan.control, lane, WINDOWS_DONE) < windows) return false;
    }
    return true;
  }

  private sendWindow(window: number, firstPass: number, from: number): void {
    const { plan, prober } = this;
    for (let pass = firstPass; pass <= plan.passes && this.isRunning(); pass++) {
      setLane(plan.control, plan.lane, PASS, pass);
      this.sendPass(window, pass, pass === firstPass ? from : 0);
      if (this.isRunning()) this.settle(pass === plan.passes, window === plan.answered.windows - 1);
      // Answers that are still to come end with the connections that wait for them.
      if (!this.isRunning()) this.takeBack(pass, prober.pending());
    }
  }

  private sendPass(window: number, pass: number, from: number): void {
    const { plan, prober, batch, history } = this;
    const { control, lane } = plan;
    const order = this.window(window);
    batch.enter(order);
    history.restart(from, performance.now());
    let position = from;
    while ((position < order.count || batch.waitingCount() > 0) && this.isRunning()) {
      const nowMs = performance.now();
      setLane(control, lane, RESUME_POSITION, history.positionAt(nowMs, batch.leastOutstanding(position)));
      const granted = this.grant(nowMs);
      if (granted === 0) continue;
      const refusedBefore = prober.refusals().count;
      const end = batch.fill(pass, position, granted, nowMs);
      this.flush(granted, refusedBefore, pass);
      if (pass === 1) addToLane(control, lane, POSITION, end - position);
      if (end === position && batch.waitingCount() > 0) this.idle(Math.max(0, batch.nextDueMs() - nowMs));
      position = end;
    }
    if (!this.isRunning()) {
      const least = batch.leastOutstanding(position);
      setLane(control, lane, RESUME_POSITION, history.positionAt(performance.now(), least));
      this.takeBack(pass, batch.waitingCount());
    }
  }

  /** How many probes may be added now; 0 after having waited for the reason why none may. */
  private grant(nowMs: number): number {
    const { plan, prober, pacer } = this;
    pacer.setRate(this.rate(), nowMs);
    if (isReaderBehind(plan.records)) {
      // Answers that nobody takes would fill the kernel's ring next, and then be lost.
      this.idle(READER_WAIT_MS);
      return 0;
    }
    const room = Math.min(BATCH_PACKETS, prober.room()) - this.batch.slack;
    const granted = pacer.take(nowMs, Math.max(0, room));
    if (granted === 0) this.idle(pacer.waitMs(nowMs));
    return granted;
  }

  private flush(granted: number, refusedBefore: number, pass: number): void {
    const { plan, prober, pacer } = this;
    const { control, lane } = plan;
    const sent = prober.flush();
    const refused = prober.refusals().count - refusedBefore;
    // Negative where more had to go at once than was granted: paid for in the next turns.
    pacer.giveBack(granted - sent - refused);
    addToLane(control, lane, PACKETS_SENT, sent);
    if (refused > 0) {
      addToLane(control, lane, SEND_ERRORS, refused);
      if (pass === 1) addToLane(control, lane, REFUSED_FIRST_PASS, refused);
    }
  }

  /** After a pass: waits for the answers that are still under way; after the last one, as long as one may take. */
  private settle(isLastPass: boolean, isLastWindow: boolean): void {
    const { plan, prober } = this;
    while (prober.pending() > 0 && this.isRunning()) this.idle(SETTLE_STEP_MS);
    // The last answers of a window may come during the next one.
    if (plan.probing === "connect" || (isLastPass && !isLastWindow)) return;
    const waitMs = isLastPass ? plan.cooldownMs : plan.portTimeoutMs * SHARE_BETWEEN_PASSES;
    const quietMs = isLastPass ? plan.quietMs : plan.quietMs * SHARE_BETWEEN_PASSES;
    const untilMs = performance.now() + waitMs;
    let answers = this.answers();
    let quietFromMs = performance.now();
    while (this.isRunning() && !this.isAllAnswered()) {
      const nowMs = performance.now();
      if (this.answers() !== answers) {
        answers = this.answers();
        quietFromMs = nowMs;
      }
      if (nowMs >= untilMs || nowMs - quietFromMs >= quietMs) break;
      this.idleWithCanaries();
    }
  }

  /** Main says when nobody will be suspected any more. */
  private sendLastCanaries(): void {
    while (this.isRunning() && flag(this.plan.control, CANARIES_OVER) === 0) this.idleWithCanaries();
  }

  private idleWithCanaries(): void {
    if (!this.batch.hasCanaries()) {
      this.idle(SETTLE_STEP_MS);
      return;
    }
    const granted = this.grant(performance.now());
    if (granted === 0) return;
    const refusedBefore = this.prober.refusals().count;
    this.batch.addExtras(granted);
    this.flush(granted, refusedBefore, this.plan.passes + 1);
  }

  /** Whether nothing more can come. */
  private isAllAnswered(): boolean {
    const { space, shard, permutation } = this.plan;
    const answers = this.answers();
    if (this.absent === 0) return answers === shardSize(permutation.size, shard);
    // How much of the absent hosts falls to one shard is not worth counting out.
    return shard.count === 1 && answers === (space.addressCount - this.absent) * space.questions.count;
  }

  private answers(): number {
    const { control } = this.plan;
    return counter(control, OPEN) + counter(control, CLOSED) + counter(control, FILTERED_BY_ANSWER);
  }

  private window(window: number): LaneWindow {
    const { plan } = this;
    return laneWindow(plan, window, windowBit(plan.answered, window), plan.lane, plan.lanes);
  }

  /** In short sleeps, so that a new rate is not slept through. */
  private idle(ms: number): void {
    this.prober.idle(Math.min(ms, MAX_IDLE_MS));
  }

  private rate(): number {
    return counter(this.plan.control, RATE_PPS) / this.plan.lanes;
  }

  private isRunning(): boolean {
    return flag(this.plan.control, STOP) === RUN;
  }

  /** What is given up unanswered was not covered. */
  private takeBack(pass: number, probes: number): void {
    if (pass === 1) addToLane(this.plan.control, this.plan.lane, POSITION, -probes);
  }
}
