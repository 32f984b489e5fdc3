/** A scan's summary in a few lines for people. */

import type { ScanSummary } from "#shared/protocol/job.ts";

const number = new Intl.NumberFormat("en-US");

export function summaryText(summary: ScanSummary): string {
  const n = (value: number): string => number.format(Math.round(value));
  const seconds = (summary.durationMs / 1_000).toFixed(2);
  const drops = summary.kernelDrops + summary.sendErrors;
  const lines = [
    `${n(summary.open)} open, ${n(summary.closed)} closed, ${n(summary.filtered)} filtered ` +
      `(${n(summary.addresses)} addresses × ${n(summary.ports)} ports)`,
    `sent ${n(summary.packetsSent)}, received ${n(summary.packetsReceived)}, drops ${n(drops)}, ` +
      `duration ${seconds} s, ${n(summary.ratePps)} packets/s, link ${summary.link}`,
    `coverage ${(summary.coverage * 100).toFixed(summary.partial ? 2 : 0)} %` + endText(summary),
  ];
  if (summary.hostsUnreachable > 0) {
    lines.push(`${n(summary.hostsUnreachable)} addresses on the local link did not answer ARP`);
  }
  if (summary.kernelDrops > 0) {
    lines.push(`warning: the kernel dropped ${n(summary.kernelDrops)} answers; use a lower --rate`);
  }
  return `${lines.join("\n")}\n`;
}

function endText({ ended, partial }: ScanSummary): string {
  const result = partial ? ": the result is partial" : "";
  return ended === "done" ? result : ` (${ended})${result}`;
}
