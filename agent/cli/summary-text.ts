/** A scan's summary in a few lines for people. */

import type { LossEstimate, ScanSummary } from "#shared/protocol/job.ts";

const number = new Intl.NumberFormat("en-US");
const n = (value: number): string => number.format(Math.round(value));

export function summaryText(summary: ScanSummary, find: "ports" | "hosts"): string {
  const seconds = (summary.durationMs / 1_000).toFixed(2);
  const drops = summary.kernelDrops + summary.sendErrors;
  const lines = [
    find === "hosts"
      ? `${n(summary.open)} up of ${count(summary.addresses, "address", "addresses")}`
      : `${n(summary.open)} open, ${n(summary.closed)} closed, ${n(summary.filtered)} filtered ` +
        `(${count(summary.addresses, "address", "addresses")} × ${count(summary.ports, "port", "ports")})`,
    `sent ${n(summary.packetsSent)}, received ${n(summary.packetsReceived)}, drops ${n(drops)}, ` +
      `duration ${seconds} s, ${n(summary.ratePps)} packets/s, link ${summary.link}`,
    `coverage ${(summary.coverage * 100).toFixed(summary.partial ? 2 : 0)} %` + endText(summary),
  ];
  if (summary.lossEstimate !== undefined) lines.push(estimateText(summary.lossEstimate, summary.partial));
  if (summary.hostsUnreachable > 0) {
    lines.push(
      `${n(summary.hostsUnreachable)} addresses on the local link did not answer ARP or neighbour discovery`,
    );
  }
  const { hostsSuspicious = 0, openWithheld = 0 } = summary;
  if (hostsSuspicious > 0) {
    const hosts = hostsSuspicious === 1 ? "1 host answers" : `${n(hostsSuspicious)} hosts answer`;
    lines.push(`warning: ${hosts} on every port; ${n(openWithheld)} ports that seemed open are not listed`);
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

function estimateText(estimate: LossEstimate, isPartial: boolean): string {
  const { completeness, completenessLow, completenessHigh, missedOpen } = estimate;
  const missed = Math.round(missedOpen);
  return (
    `estimated completeness${isPartial ? " of what was probed" : ""} ${percent(completeness)} % ` +
    `(95 % interval ${percent(completenessLow)}–${percent(completenessHigh)} %); ` +
    `${missed === 0 ? "no open port" : `about ${count(missed, "open port", "open ports")}`} missed`
  );
}

function count(value: number, one: string, many: string): string {
  return `${n(value)} ${value === 1 ? one : many}`;
}

/** Rounded down: 99.96 % complete is not 100.0 %. */
function percent(share: number): string {
  return share === 1 ? "100" : (Math.floor(share * 1_000) / 10).toFixed(1);
}
