/**
 * Between the ring of answers and whoever wants the results: turns answers into results, holds back those of hosts that
 * are suspected to answer on everything, and marks such hosts.
 */

import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import { CanaryWatch } from "./accuracy/canary-watch.ts";
import { areCanariesSent, requestCanaries } from "./accuracy/canary-queue.ts";
import { TCP_SYN } from "./packet/probe-kind.ts";
import { reasonCode } from "./packet/reason.ts";
import type { WorkerPlan } from "./plan.ts";
import type { AnswerRecord } from "./records.ts";
import { kindOfQuestion } from "./targets/questions.ts";
import { toHostResult, toPortResult } from "./results.ts";

/** Who takes the results. */
export interface ResultTaker {
  ports(results: readonly PortResult[]): void | Promise<void>;
  hosts(results: readonly HostResult[]): void | Promise<void>;
}

const SYN_ACK = reasonCode("syn-ack");

export class Findings {
  private readonly plan: WorkerPlan;
  /** Undefined where the kernel makes the connections: it has no port to send canaries from. */
  private readonly watch: CanaryWatch<AnswerRecord> | undefined;

  constructor(plan: WorkerPlan) {
    this.plan = plan;
    const { kinds } = plan.space.questions;
    const tcpPorts = kinds.reduce((count, kind) => count + (kind === TCP_SYN ? 1 : 0), 0);
    const isWatched = plan.probing === "packets" && plan.find === "ports" && tcpPorts > 0;
    this.watch = isWatched
      ? new CanaryWatch(tcpPorts, plan.portTimeoutMs, {
          request: (addressNumber) => requestCanaries(plan.canaries, addressNumber),
          isSent: (ticket) => areCanariesSent(plan.canaries, ticket),
        })
      : undefined;
  }

  async tell(records: readonly AnswerRecord[], taker: ResultTaker): Promise<void> {
    if (records.length === 0) return;
    if (this.plan.find === "hosts") {
      await taker.hosts(records.map((record) => toHostResult(this.plan, record, true)));
      return;
    }
    const listed = records.filter((record) => this.mayList(record));
    if (listed.length > 0) await taker.ports(listed.map((record) => toPortResult(this.plan, record)));
  }

  async tellSilent(records: readonly AnswerRecord[], taker: ResultTaker): Promise<void> {
    if (records.length === 0) return;
    const { plan } = this;
    if (plan.find === "hosts") await taker.hosts(records.map((record) => toHostResult(plan, record, false)));
    else await taker.ports(records.map((record) => toPortResult(plan, record)));
  }

  /** Lists what turned out to be ordinary after all, and names the hosts that are not. */
  async decide(taker: ResultTaker, isLast: boolean): Promise<void> {
    if (this.watch === undefined || !this.watch.isWaiting()) return;
    const { released, convicted } = this.watch.decide(performance.now(), isLast);
    if (released.length > 0) await taker.ports(released.map((record) => toPortResult(this.plan, record)));
    if (convicted.length > 0) {
      await taker.hosts(convicted.map((addressNumber) => suspiciousHost(this.plan, addressNumber)));
    }
  }

  isWaiting(): boolean {
    return this.watch?.isWaiting() ?? false;
  }

  /** Open ports that were found and are not listed. */
  withheld(): number {
    return this.watch?.withheld ?? 0;
  }

  /** Open ports of hosts that were too many to be watched. */
  unwatched(): number {
    return this.watch?.unwatched ?? 0;
  }

  suspiciousHosts(): number {
    return this.watch?.convictedHosts ?? 0;
  }

  private mayList(record: AnswerRecord): boolean {
    const { watch, plan } = this;
    if (record.question < 0) {
      watch?.canaryAnswered(record.addressNumber, -1 - record.question, record.reason === SYN_ACK);
      return false;
    }
    const isOpenTcp =
      record.reason === SYN_ACK && kindOfQuestion(plan.space.questions, record.question) === TCP_SYN;
    return watch === undefined || !isOpenTcp || watch.open(record.addressNumber, record);
  }
}

function suspiciousHost(plan: WorkerPlan, addressNumber: number): HostResult {
  const record = { addressNumber, question: 0, reason: SYN_ACK, ttl: 0, ourPort: 0, timeMs: Date.now() };
  return { ...toHostResult(plan, record, true), suspicious: "answers-on-every-port" };
}
