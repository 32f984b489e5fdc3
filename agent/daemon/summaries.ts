/** Adds up the summaries of scans that together make one job. */

import type { LossEstimate, ScanSummary } from "#shared/protocol/job.ts";

export function mergeSummaries(a: ScanSummary, b: ScanSummary): ScanSummary {
  const probesPlanned = a.probesPlanned + b.probesPlanned;
  const probesCovered = a.probesCovered + b.probesCovered;
  const packetsSent = a.packetsSent + b.packetsSent;
  const durationMs = a.durationMs + b.durationMs;
  return {
    partial: a.partial || b.partial,
    ended: a.ended === "done" ? b.ended : a.ended,
    link: [...new Set([...a.link.split("+"), ...b.link.split("+")])].toSorted().join("+"),
    addresses: a.addresses + b.addresses,
    ports: Math.max(a.ports, b.ports),
    probesPlanned,
    probesCovered,
    coverage: probesCovered / probesPlanned,
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
