/**
 * The sending loop of one lane: walks its share of the permuted space, window by window and pass by pass, no faster than
 * the pacer allows. A second pass sends only what has not been answered. The first lane stays until no canary is asked for.
 */

import { CANARIES } from "./accuracy/canary-watch.ts";
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
import { clearWindow, isAnswered, windowBit } from "./dedup.ts";
import { ExtraProbes } from "./extra-probes.ts";
import { HostCaps } from "./host-caps.ts";
import { countAbsent, hasMac, ownHop } from "./link/neighbour-table.ts";
import type { Prober } from "./link/prober.ts";
import { BATCH_PACKETS } from "./link/transmitter.ts";
import { Pacer } from "./pacer.ts";
import type { WorkerPlan } from "./plan.ts";
import { isReaderBehind } from "./records.ts";
import { SentHistory } from "./sent-history.ts";
import { portOfPass } from "./source-port-roles.ts";
import { type LaneWindow, laneWindow, positionsBefore, shardSize } from "./targets/lane.ts";
import { permute } from "./targets/permutation.ts";
import { networkKeyOfNumber } from "./targets/space.ts";

/** Positions looked at between two looks at the clock, where most need no probe. */
const MAX_SKIPS = 65_536;
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
  private readonly caps: HostCaps | undefined;
  private readonly extras: ExtraProbes;
  private readonly history: SentHistory;
  /** What one question and then one host's canaries may add beyond what is granted; it must still fit the batch. */
  private readonly slack: number;
  /** The positions of the present window. */
  private order: LaneWindow;
  /** Probes in the present batch. */
  private added = 0;
  private absent = 0;

  constructor(plan: WorkerPlan, prober: Prober) {
    this.plan = plan;
    this.prober = prober;
    this.pacer = new Pacer(this.rate(), performance.now());
    const { maxRatePerHostPps, maxRatePerNetworkPps } = plan;
    this.caps =
      maxRatePerHostPps > 0 || maxRatePerNetworkPps > 0
        ? new HostCaps(maxRatePerHostPps / plan.lanes, maxRatePerNetworkPps / plan.lanes, {
            hostKey: (at) => this.addressNumberAt(at),
            networkKey: (at) => networkKeyOfNumber(plan.space, this.addressNumberAt(at)),
            probes: (at) => this.probesAt(at),
          })
        : undefined;
    this.extras = new ExtraProbes(plan, prober, this.caps);
    this.history = new SentHistory(plan.portTimeoutMs);
    this.order = this.window(plan.resume?.window ?? 0);
    this.slack = CANARIES + plan.space.questions.mostProbes - 1;
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
    const inWindow = firstPass === 1 ? from : this.order.count;
    setLane(control, lane, POSITION, before + inWindow);

    prober.prepare();
    // Nothing is sent to hosts that are not there, so nothing is awaited from them.
    this.absent = countAbsent(plan.ways, plan.space.offsets, plan.neighbours);
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
    const { plan, prober, history } = this;
    const { control, lane } = plan;
    this.order = this.window(window);
    const { order } = this;
    history.restart(from, performance.now());
    let position = from;
    while ((position < order.count || this.waitingCount() > 0) && this.isRunning()) {
      const nowMs = performance.now();
      setLane(control, lane, RESUME_POSITION, history.positionAt(nowMs, this.leastOutstanding(position)));
      const granted = this.grant(nowMs);
      if (granted === 0) continue;
      const refusedBefore = prober.refusals().count;
      this.added = 0;
      this.addDue(pass, granted, nowMs);
      const end = this.extras.isDue()
        ? this.fillAround(pass, position, granted, nowMs)
        : this.fill(pass, position, granted, nowMs);
      this.flush(granted, refusedBefore, pass);
      if (pass === 1) addToLane(control, lane, POSITION, end - position);
      if (end === position && this.waitingCount() > 0) this.idle(this.waitingMs(nowMs));
      position = end;
    }
    if (!this.isRunning()) {
      const least = this.leastOutstanding(position);
      setLane(control, lane, RESUME_POSITION, history.positionAt(performance.now(), least));
      this.takeBack(pass, this.waitingCount());
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
    const room = Math.min(BATCH_PACKETS, prober.room()) - this.slack;
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

  /**
   * Extra probes stand anywhere in the batch: at its head, soundings would be the last to be dropped on the way and would
   * measure less loss than there is.
   */
  private fillAround(pass: number, position: number, granted: number, nowMs: number): number {
    const middle = this.fill(pass, position, Math.floor(Math.random() * granted), nowMs);
    this.added += this.extras.add(granted - this.added);
    return this.fill(pass, middle, granted, nowMs);
  }

  /** Fills the batch up to about `most` probes, from `position` on. Returns the position after the last one looked at. */
  private fill(pass: number, position: number, most: number, nowMs: number): number {
    const { plan, caps, order } = this;
    const { size, a, b, key0, key1 } = plan.permutation;
    const { words } = plan.answered;
    const questionCount = plan.space.questions.count;
    const { firstPosition, step, firstBit, bitStep } = order;
    const sourcePort = portOfPass(plan.firstSourcePort, pass);
    const findsHosts = plan.find === "hosts";
    const last = Math.min(order.count, position + MAX_SKIPS);
    let { added } = this;
    let at = position;
    for (; at < last && added < most; at++) {
      if (isAnswered(words, (firstBit + at * bitStep) | 0)) continue;
      const index = permute(firstPosition + at * step, size, a, b, key0, key1);
      const addressNumber = Math.floor(index / questionCount);
      // Who answered ARP or neighbour discovery is there: the receiver says so, and no ping is needed.
      if (findsHosts && this.isNeighbour(addressNumber)) continue;
      if (caps !== undefined) {
        if (!caps.hasRoom()) break;
        if (!caps.admit(at, nowMs)) continue;
      }
      added += this.ask(addressNumber, index - addressNumber * questionCount, sourcePort);
    }
    this.added = added;
    return at;
  }

  /** Probes that a cap had put aside and whose time has come. */
  private addDue(pass: number, most: number, nowMs: number): void {
    const { plan, caps } = this;
    if (caps === undefined) return;
    const questionCount = plan.space.questions.count;
    while (this.added < most) {
      const at = caps.takeDue(nowMs);
      if (at < 0) break;
      const index = this.indexAt(at);
      const addressNumber = Math.floor(index / questionCount);
      const question = index - addressNumber * questionCount;
      this.added += this.ask(addressNumber, question, portOfPass(plan.firstSourcePort, pass));
    }
  }

  /** The index at a position of this lane in the present window. */
  private indexAt(at: number): number {
    const { size, a, b, key0, key1 } = this.plan.permutation;
    return permute(this.order.firstPosition + at * this.order.step, size, a, b, key0, key1);
  }

  private addressNumberAt(at: number): number {
    return Math.floor(this.indexAt(at) / this.plan.space.questions.count);
  }

  private probesAt(at: number): number {
    const { count, firsts } = this.plan.space.questions;
    const question = this.indexAt(at) % count;
    return (firsts[question + 1] ?? 0) - (firsts[question] ?? 0);
  }

  /** Adds every probe of one question. Returns how many. */
  private ask(addressNumber: number, question: number, sourcePort: number): number {
    const { prober, plan } = this;
    const { firsts, kinds, ports, payloads } = plan.space.questions;
    const end = firsts[question + 1] ?? 0;
    let added = 0;
    for (let probe = firsts[question] ?? 0; probe < end; probe++) {
      const kind = kinds[probe] ?? 0;
      if (prober.add(addressNumber, kind, ports[probe] ?? 0, payloads[probe] ?? 0, sourcePort)) added++;
    }
    return added;
  }

  /** After a pass: waits for the answers that are still under way; after the last one, as long as one may take. */
  private settle(isLastPass: boolean, isLastWindow: boolean): void {
    const { plan, prober } = this;
    while (prober.pending() > 0 && this.isRunning()) this.idle(SETTLE_STEP_MS);
    // The last answers of a window may come during the next one.
    if (plan.probing === "connect" || (isLastPass && !isLastWindow)) return;
    const waitMs = isLastPass ? plan.cooldownMs : plan.portTimeoutMs * SHARE_BETWEEN_PASSES;
    const untilMs = performance.now() + waitMs;
    while (this.isRunning() && performance.now() < untilMs && !this.isAllAnswered()) this.idleWithCanaries();
  }

  /** Main says when nobody will be suspected any more. */
  private sendLastCanaries(): void {
    while (this.isRunning() && flag(this.plan.control, CANARIES_OVER) === 0) this.idleWithCanaries();
  }

  private idleWithCanaries(): void {
    if (!this.extras.hasCanaries()) {
      this.idle(SETTLE_STEP_MS);
      return;
    }
    const granted = this.grant(performance.now());
    if (granted === 0) return;
    const refusedBefore = this.prober.refusals().count;
    this.extras.add(granted);
    this.flush(granted, refusedBefore, this.plan.passes + 1);
  }

  /** Whether nothing more can come. */
  private isAllAnswered(): boolean {
    const { control, space, shard, permutation } = this.plan;
    const answers = counter(control, OPEN) + counter(control, CLOSED) + counter(control, FILTERED_BY_ANSWER);
    if (this.absent === 0) return answers === shardSize(permutation.size, shard);
    // How much of the absent hosts falls to one shard is not worth counting out.
    return shard.count === 1 && answers === (space.addressCount - this.absent) * space.questions.count;
  }

  private isNeighbour(addressNumber: number): boolean {
    const { ways, space, neighbours } = this.plan;
    const hop = ownHop(ways, space.offsets, addressNumber);
    return hop >= 0 && hasMac(neighbours, hop);
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

  private waitingCount(): number {
    return this.caps?.waitingCount() ?? 0;
  }

  private waitingMs(nowMs: number): number {
    return Math.max(0, (this.caps?.nextDueMs() ?? nowMs) - nowMs);
  }

  /** The first position that a scan stopped now would have to send again. */
  private leastOutstanding(position: number): number {
    return Math.min(position, this.caps?.leastWaiting() ?? position);
  }

  /** What is given up unanswered was not covered. */
  private takeBack(pass: number, probes: number): void {
    if (pass === 1) addToLane(this.plan.control, this.plan.lane, POSITION, -probes);
  }
}
