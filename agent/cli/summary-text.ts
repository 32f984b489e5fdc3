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
    `coverage ${coverageText(summary)} %` + endText(summary),
  ];
  if (summary.lossEstimate !== undefined) lines.push(estimateText(summary.lossEstimate, summary, find));
  if (summary.hostsUnreachable > 0) {
    lines.push(
      `${count(summary.hostsUnreachable, "address", "addresses")} on the local link did not answer ARP or neighbour discovery`,
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

/** Rounded down: a scan that left out one probe in a million did not cover 100.00 %. */
function coverageText({ coverage, partial }: ScanSummary): string {
  return partial ? (Math.floor(coverage * 10_000) / 100).toFixed(2) : (coverage * 100).toFixed(0);
}

function endText({ ended, partial }: ScanSummary): string {
  const result = partial ? ": the result is partial" : "";
  return ended === "done" ? result : ` (${ended})${result}`;
}

/** An estimate is no proof, so nothing here says that all was found. */
function estimateText(estimate: LossEstimate, summary: ScanSummary, find: "ports" | "hosts"): string {
  const { completeness, completenessLow, completenessHigh } = estimate;
  const share =
    completeness === 1
      ? `at least ${percent(completenessLow)} % (95 % confidence)`
      : `${percent(completeness)} % (95 % interval ${percent(completenessLow)}–${percent(completenessHigh)} %)`;
  return (
    `estimated completeness${summary.partial ? " of what was probed" : ""} ${share}` +
    missedText(estimate, summary.open, find)
  );
}

/** Reckoned from what was found, so where nothing was, there is nothing to say. */
function missedText(estimate: LossEstimate, found: number, find: "ports" | "hosts"): string {
  if (found === 0 || estimate.completenessLow <= 0) return "";
  const [one, many] =
    find === "hosts" ? ["host that is up", "hosts that are up"] : ["open port", "open ports"];
  const expected = Math.round(estimate.missedOpen);
  const atMost = Math.ceil((found * (1 - estimate.completenessLow)) / estimate.completenessLow);
  const missed =
    estimate.missedOpen < 1
      ? `fewer than one missed ${one} is expected`
      : `about ${count(expected, `missed ${one} is`, `missed ${many} are`)} expected`;
  return (
    `; ${missed}` + (atMost > Math.max(1, expected) ? `, ${n(atMost)} at the worst of these figures` : "")
  );
}

function count(value: number, one: string, many: string): string {
  return `${n(value)} ${value === 1 ? one : many}`;
}

/** Rounded down: 99.96 % complete is not 100.0 %. Only an upper bound is ever a whole 100. */
function percent(share: number): string {
  return share === 1 ? "100" : (Math.floor(share * 1_000) / 10).toFixed(1);
}
