/**
 * Fills one batch after the other: the questions at a lane's positions that are not answered, what a cap had put aside and
 * now lets go, and the extra probes between them. When a batch may go, and what becomes of it, is the sender's business.
 */

import { CANARIES } from "./accuracy/canary-watch.ts";
import { isAnswered } from "./dedup.ts";
import { ExtraProbes } from "./extra-probes.ts";
import { HostCaps } from "./host-caps.ts";
import { hasMac, ownHop } from "./link/neighbour-table.ts";
import type { Prober } from "./link/prober.ts";
import { BATCH_PACKETS } from "./link/transmitter.ts";
import { TCP_SYN } from "./packet/probe-kind.ts";
import type { WorkerPlan } from "./plan.ts";
import { portOfPass } from "./source-port-roles.ts";
import type { LaneWindow } from "./targets/lane.ts";
import { permute } from "./targets/permutation.ts";
import { networkKeyOfNumber } from "./targets/space.ts";

/** Positions looked at for one batch, where most need no probe: the sender wants to look at the clock. */
const MAX_SKIPS = 65_536;

export class QuestionBatch {
  /** What one question and then one host's canaries may add beyond what is granted; it must still fit the batch. */
  readonly slack: number;
  private readonly plan: WorkerPlan;
  private readonly prober: Prober;
  private readonly caps: HostCaps | undefined;
  private readonly extras: ExtraProbes;
  /** One SYN a question and no cap: what most scans are made of, done many at once. */
  private readonly isPlain: boolean;
  private readonly addressNumbers: Float64Array;
  private readonly ports: Uint16Array;
  private order: LaneWindow;
  /** Probes in the present batch. */
  private added = 0;

  /** @param order the positions of the first window */
  constructor(plan: WorkerPlan, prober: Prober, order: LaneWindow) {
    this.plan = plan;
    this.prober = prober;
    this.order = order;
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
    const { kinds, mostProbes } = plan.space.questions;
    this.slack = CANARIES + mostProbes - 1;
    const isOneSyn = mostProbes === 1 && kinds.every((kind) => kind === TCP_SYN);
    this.isPlain = isOneSyn && plan.find === "ports" && this.caps === undefined;
    this.addressNumbers = new Float64Array(BATCH_PACKETS);
    this.ports = new Uint16Array(BATCH_PACKETS);
  }

  /** What follows comes from these positions. Nothing may wait from others. */
  enter(order: LaneWindow): void {
    this.order = order;
  }

  /**
   * Adds about `granted` probes, of positions from `position` on.
   * @returns the position after the last one looked at
   */
  fill(pass: number, position: number, granted: number, nowMs: number): number {
    this.added = 0;
    this.addDue(pass, granted, nowMs);
    if (!this.extras.isDue()) return this.addFrom(pass, position, granted, nowMs);
    // Extra probes stand anywhere in the batch: at its head, soundings would be the last to be dropped on the way and
    // would measure less loss than there is.
    const middle = this.addFrom(pass, position, Math.floor(Math.random() * granted), nowMs);
    this.added += this.extras.add(granted - this.added);
    return this.addFrom(pass, middle, granted, nowMs);
  }

  /** Whether hosts wait for canaries of this lane; `addExtras` sends them where no question is due. */
  hasCanaries(): boolean {
    return this.extras.hasCanaries();
  }

  addExtras(granted: number): void {
    this.extras.add(granted);
  }

  /** Positions that a cap has put aside, and when the first of them may go; Infinity where none is. */
  waitingCount(): number {
    return this.caps?.waitingCount() ?? 0;
  }

  nextDueMs(): number {
    return this.caps?.nextDueMs() ?? Number.POSITIVE_INFINITY;
  }

  /** The first position that a scan stopped now, having come to `position`, would have to send again. */
  leastOutstanding(position: number): number {
    return Math.min(position, this.caps?.leastWaiting() ?? position);
  }

  /** Adds questions until the batch has `most` probes. Returns the position after the last one looked at. */
  private addFrom(pass: number, position: number, most: number, nowMs: number): number {
    const { order, plan } = this;
    const end = Math.min(order.count, position + MAX_SKIPS);
    const sourcePort = portOfPass(plan.firstSourcePort, pass);
    if (!this.isPlain) return this.addQuestions(position, end, most, sourcePort, nowMs);
    let at = position;
    while (at < end && this.added < most) at = this.addSyns(at, end, most - this.added, sourcePort);
    return at;
  }

  /** Up to `most` questions at once, of one SYN each. Returns the position after the last one looked at. */
  private addSyns(position: number, end: number, most: number, sourcePort: number): number {
    const { plan, order, addressNumbers, ports } = this;
    const { size, a, b, key0, key1 } = plan.permutation;
    const { words } = plan.answered;
    const { count: questionCount, ports: portOf } = plan.space.questions;
    const { firstPosition, step, firstBit, bitStep } = order;
    let count = 0;
    let at = position;
    for (; at < end && count < most; at++) {
      if (!isAnswered(words, (firstBit + at * bitStep) | 0))
        addressNumbers[count++] = firstPosition + at * step;
    }
    // Two loops: in one, the compiler runs out of registers.
    for (let i = 0; i < count; i++) {
      const index = permute(addressNumbers[i] ?? 0, size, a, b, key0, key1);
      const addressNumber = Math.floor(index / questionCount);
      addressNumbers[i] = addressNumber;
      ports[i] = portOf[(index - addressNumber * questionCount) | 0] ?? 0;
    }
    this.added += this.prober.addSyns(count, addressNumbers, ports, sourcePort);
    return at;
  }

  /** Questions of any kind, one by one. */
  private addQuestions(
    position: number,
    end: number,
    most: number,
    sourcePort: number,
    nowMs: number,
  ): number {
    const { plan, caps, order } = this;
    const { words } = plan.answered;
    const questionCount = plan.space.questions.count;
    const findsHosts = plan.find === "hosts";
    let { added } = this;
    let at = position;
    for (; at < end && added < most; at++) {
      if (isAnswered(words, (order.firstBit + at * order.bitStep) | 0)) continue;
      const index = this.indexAt(at);
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

  private isNeighbour(addressNumber: number): boolean {
    const { ways, neighbours } = this.plan;
    const hop = ownHop(ways, addressNumber);
    return hop >= 0 && hasMac(neighbours, hop);
  }
}
