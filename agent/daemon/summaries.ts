/** Adds up the summaries of scans that together make one job. */

import type { ScanSummary } from "#shared/protocol/job.ts";

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
  };
}
