/** Adds up the summaries of scans that together make one job, with those that never began. */

import type { LossEstimate, ScanSummary } from "#shared/protocol/job.ts";
import type { TargetSize } from "./job-request.ts";

/** Of a target that nothing was sent to: it counts as planned, or a job that was cut short would look covered. */
export function unscanned({ addresses, ports }: TargetSize, ended: ScanSummary["ended"]): ScanSummary {
  return {
    partial: true,
    ended,
    link: "",
    addresses,
    ports,
    probesPlanned: addresses * ports,
    probesCovered: 0,
    coverage: 0,
    packetsSent: 0,
    packetsReceived: 0,
    packetsRejected: 0,
    duplicates: 0,
    sendErrors: 0,
    kernelDrops: 0,
    open: 0,
    closed: 0,
    filtered: 0,
    hostsUnreachable: 0,
    durationMs: 0,
    ratePps: 0,
  };
}

export function mergeSummaries(a: ScanSummary, b: ScanSummary): ScanSummary {
  const probesPlanned = a.probesPlanned + b.probesPlanned;
  const probesCovered = a.probesCovered + b.probesCovered;
  const packetsSent = a.packetsSent + b.packetsSent;
  const durationMs = a.durationMs + b.durationMs;
  return {
    partial: a.partial || b.partial,
    ended: a.ended === "done" ? b.ended : a.ended,
    link: [...linksOf(a).union(linksOf(b))].toSorted().join("+"),
    addresses: a.addresses + b.addresses,
    ports: Math.max(a.ports, b.ports),
    probesPlanned,
    probesCovered,
    coverage: probesPlanned > 0 ? probesCovered / probesPlanned : 0,
    packetsSent,
    packetsReceived: a.packetsReceived + b.packetsReceived,
    packetsRejected: a.packetsRejected + b.packetsRejected,
    duplicates: a.duplicates + b.duplicates,
    sendErrors: a.sendErrors + b.sendErrors,
    kernelDrops: a.kernelDrops + b.kernelDrops,
    open: a.open + b.open,
    closed: a.closed + b.closed,
    filtered: a.filtered + b.filtered,
    hostsUnreachable: a.hostsUnreachable + b.hostsUnreachable,
    durationMs,
    ratePps: durationMs > 0 ? (packetsSent * 1_000) / durationMs : 0,
    ...mergedEstimate(a, b),
    hostsSuspicious: (a.hostsSuspicious ?? 0) + (b.hostsSuspicious ?? 0),
    openWithheld: (a.openWithheld ?? 0) + (b.openWithheld ?? 0),
  };
}

function linksOf({ link }: ScanSummary): Set<string> {
  return new Set(link === "" ? [] : link.split("+"));
}

/** Each estimate counts by the answers it rests on. One scan's says nothing of another that could not tell. */
function mergedEstimate(a: ScanSummary, b: ScanSummary): Pick<ScanSummary, "lossEstimate"> {
  const [first, second] = [a.lossEstimate, b.lossEstimate];
  if (first === undefined || second === undefined) return {};
  // Open ports that were withheld answered too.
  const answersOf = ({ open, closed, openWithheld = 0 }: ScanSummary): number => open + closed + openWithheld;
  const answers = { a: answersOf(a), b: answersOf(b) };
  const mean = (of: (estimate: LossEstimate) => number): number =>
    (of(first) * answers.a + of(second) * answers.b) / (answers.a + answers.b);
  return {
    lossEstimate: {
      loss: mean(({ loss }) => loss),
      lossLow: mean(({ lossLow }) => lossLow),
      lossHigh: mean(({ lossHigh }) => lossHigh),
      completeness: mean(({ completeness }) => completeness),
      completenessLow: mean(({ completenessLow }) => completenessLow),
      completenessHigh: mean(({ completenessHigh }) => completenessHigh),
      missedOpen: first.missedOpen + second.missedOpen,
    },
  };
}
