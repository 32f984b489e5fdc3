/** How a scan went and how complete it is: the counters of its threads, put together once at the end. */

import type { LossEstimate, ScanSummary } from "#shared/protocol/job.ts";
import { estimateLoss, missedOf } from "./accuracy/estimate.ts";
import {
  ANSWERS_BY_PASS,
  CLOSED,
  counter,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  KERNEL_DROPS,
  OPEN,
  OPEN_BY_PASS,
  PACKETS_RECEIVED,
  PACKETS_REJECTED,
  PACKETS_SENT,
  POSITION,
  REFUSED_FIRST_PASS,
  SEND_ERRORS,
  sumOfLanes,
} from "./control-block.ts";
import { countAbsent } from "./link/neighbour-table.ts";
import type { WorkerPlan } from "./plan.ts";
import { shardSize } from "./targets/lane.ts";

/** Open ports are judged by their own passes where there are so many; hosts may limit what they say of closed ones. */
const ENOUGH_OPEN = 300;

export interface ScanEnd {
  /** Of all senders. */
  readonly links: readonly string[];
  readonly ended: ScanSummary["ended"];
  readonly durationMs: number;
  /** Hosts that answer on everything, and open ports of theirs that were not listed. */
  readonly hostsSuspicious: number;
  readonly openWithheld: number;
}

export function summarize(plan: WorkerPlan, end: ScanEnd): ScanSummary {
  const { space, control, shard } = plan;
  const of = (place: number): number => counter(control, place);
  const planned = shardSize(plan.permutation.size, shard);
  const covered = Math.max(0, sumOfLanes(control, POSITION) - sumOfLanes(control, REFUSED_FIRST_PASS));
  const open = of(OPEN);
  const closed = of(CLOSED);
  const answered = open + closed + of(FILTERED_BY_ANSWER);
  // Of a scan that was cut short the last pass is missing, and with it what it would have told.
  const estimate = end.ended === "done" ? lossEstimateOf(plan) : undefined;
  const sent = sumOfLanes(control, PACKETS_SENT);
  return {
    // Cut short, it may lack answers and further passes although all was sent once. An answer that the kernel dropped may
    // belong to any probe that seems unanswered.
    partial: end.ended !== "done" || covered < planned || (of(KERNEL_DROPS) > 0 && answered < covered),
    ended: end.ended,
    link: [...new Set(end.links)].toSorted().join("+"),
    addresses: space.addressCount,
    ports: space.questions.count,
    probesPlanned: planned,
    probesCovered: covered,
    coverage: covered / planned,
    packetsSent: sent,
    packetsReceived: of(PACKETS_RECEIVED),
    packetsRejected: of(PACKETS_REJECTED),
    duplicates: of(DUPLICATES),
    sendErrors: sumOfLanes(control, SEND_ERRORS),
    kernelDrops: of(KERNEL_DROPS),
    open: open - end.openWithheld,
    closed,
    // Silence counts as filtered, but only where something was really asked.
    filtered: Math.max(0, covered - open - closed),
    hostsUnreachable: countAbsent(plan.ways, plan.neighbours),
    durationMs: end.durationMs,
    ratePps: end.durationMs > 0 ? (sent * 1_000) / end.durationMs : 0,
    ...(estimate === undefined ? {} : { lossEstimate: estimate }),
    hostsSuspicious: end.hostsSuspicious,
    openWithheld: end.openWithheld,
  };
}

/**
 * Undefined where nothing tells: one pass, few answers, or later passes that were refused in part, so that they found
 * less than they would have and the loss would look small.
 */
function lossEstimateOf({ control, passes }: WorkerPlan): LossEstimate | undefined {
  if (sumOfLanes(control, SEND_ERRORS) > sumOfLanes(control, REFUSED_FIRST_PASS)) return undefined;
  const byPass = (place: number): number[] =>
    Array.from({ length: passes }, (_, pass) => counter(control, place + pass));
  const open = byPass(OPEN_BY_PASS);
  const openFound = open.reduce((sum, found) => sum + found, 0);
  const estimate = estimateLoss(openFound >= ENOUGH_OPEN ? open : byPass(ANSWERS_BY_PASS));
  return estimate === undefined
    ? undefined
    : { ...estimate, missedOpen: missedOf(openFound, estimate.completeness) };
}
