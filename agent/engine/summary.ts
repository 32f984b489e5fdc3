/** How a scan went and how complete it is: the counters of its threads, put together once at the end. */

import type { ScanSummary } from "#shared/protocol/job.ts";
import {
  CLOSED,
  counter,
  DUPLICATES,
  FILTERED_BY_ANSWER,
  HOSTS_UNREACHABLE,
  KERNEL_DROPS,
  OPEN,
  PACKETS_RECEIVED,
  PACKETS_REJECTED,
  PACKETS_SENT,
  POSITION,
  REFUSED_FIRST_PASS,
  SEND_ERRORS,
} from "./control-block.ts";
import type { RouteSegment } from "./link/route.ts";
import type { WorkerPlan } from "./plan.ts";

export function summarize(
  plan: WorkerPlan,
  end: { readonly ended: ScanSummary["ended"]; readonly durationMs: number },
): ScanSummary {
  const of = (place: number): number => counter(plan.control, place);
  const planned = plan.space.size;
  const covered = Math.max(0, of(POSITION) - of(REFUSED_FIRST_PASS));
  const open = of(OPEN);
  const closed = of(CLOSED);
  const answered = open + closed + of(FILTERED_BY_ANSWER);
  return {
    // An answer that the kernel dropped may belong to any probe that seems unanswered.
    partial: covered < planned || (of(KERNEL_DROPS) > 0 && answered < covered),
    ended: end.ended,
    link: plan.probing === "connect" ? "connect" : linksOf(plan.segments),
    addresses: plan.space.addressCount,
    ports: plan.space.ports.length,
    probesPlanned: planned,
    probesCovered: covered,
    coverage: covered / planned,
    packetsSent: of(PACKETS_SENT),
    packetsReceived: of(PACKETS_RECEIVED),
    packetsRejected: of(PACKETS_REJECTED),
    duplicates: of(DUPLICATES),
    sendErrors: of(SEND_ERRORS),
    kernelDrops: of(KERNEL_DROPS),
    open,
    closed,
    // Silence counts as filtered, but only where something was really asked.
    filtered: Math.max(0, covered - open - closed),
    hostsUnreachable: of(HOSTS_UNREACHABLE),
    durationMs: end.durationMs,
    ratePps: end.durationMs > 0 ? (of(PACKETS_SENT) * 1_000) / end.durationMs : 0,
  };
}

function linksOf(segments: readonly RouteSegment[]): string {
  return [...new Set(segments.map(({ via }) => via))].toSorted().join("+");
}
