/** The summary for people: its figures, and a plain word where a scan is not whole. */

import { describe, expect, test } from "bun:test";
import type { LossEstimate, ScanSummary } from "#shared/protocol/job.ts";
import { summaryText } from "./summary-text.ts";

const WHOLE: ScanSummary = {
  partial: false,
  ended: "done",
  link: "packet",
  addresses: 65_536,
  ports: 64,
  probesPlanned: 4_194_304,
  probesCovered: 4_194_304,
  coverage: 1,
  packetsSent: 4_200_000,
  packetsReceived: 4_194_304,
  packetsRejected: 0,
  duplicates: 0,
  sendErrors: 0,
  kernelDrops: 0,
  open: 65_536,
  closed: 4_000_000,
  filtered: 128_768,
  hostsUnreachable: 0,
  durationMs: 19_004.6,
  ratePps: 221_000.4,
};

describe("summaryText", () => {
  test("of a whole scan", () => {
    expect(summaryText(WHOLE, "ports")).toBe(
      [
        "65,536 open, 4,000,000 closed, 128,768 filtered (65,536 addresses × 64 ports)",
        "sent 4,200,000, received 4,194,304, drops 0, duration 19.00 s, 221,000 packets/s, link packet",
        "coverage 100 %",
        "",
      ].join("\n"),
    );
  });

  test("of one cut short says why and that it is partial", () => {
    const text = summaryText({ ...WHOLE, partial: true, ended: "timed-out", coverage: 0.99996 }, "ports");
    expect(text).toContain("coverage 99.99 % (timed-out): the result is partial");
  });

  test("of one that lost probes without being stopped says partial only", () => {
    const text = summaryText({ ...WHOLE, partial: true, coverage: 0.5 }, "ports");
    expect(text).toContain("coverage 50.00 %: the result is partial\n");
  });

  test("of one interrupted after the last probe says so, and that nothing is missing", () => {
    expect(summaryText({ ...WHOLE, ended: "interrupted" }, "ports")).toContain(
      "coverage 100 % (interrupted)\n",
    );
  });

  test("names absent hosts and lost answers, and what helps", () => {
    const text = summaryText({ ...WHOLE, hostsUnreachable: 1_234, kernelDrops: 5, sendErrors: 2 }, "ports");
    expect(text).toContain("1,234 addresses on the local link did not answer ARP");
    expect(text).toContain("drops 7,");
    expect(text).toContain("the kernel dropped 5 answers; use a lower --rate");
  });

  const ESTIMATE: LossEstimate = {
    loss: 0.05,
    lossLow: 0.04,
    lossHigh: 0.06,
    completeness: 0.9978,
    completenessLow: 0.9961,
    completenessHigh: 0.99996,
    missedOpen: 144.2,
  };

  const NO_LOSS = {
    loss: 0,
    lossLow: 0,
    completeness: 1,
    completenessLow: 0.999,
    completenessHigh: 1,
    missedOpen: 0,
  };

  test.each<[Partial<LossEstimate>, string, Partial<ScanSummary>?]>([
    [
      {},
      "estimated completeness 99.7 % (95 % interval 99.6–99.9 %); " +
        "about 144 missed open ports are expected, 257 at the worst of these figures\n",
    ],
    [
      { completenessLow: 0.99999, missedOpen: 1.2 },
      "; about 1 missed open port is expected\n",
      { open: 100 },
    ],
    [
      { completeness: 0.9999, completenessLow: 0.99995, missedOpen: 0.7 },
      "; fewer than one missed open port is expected\n",
      { open: 100 },
    ],
    [
      { ...NO_LOSS, completenessLow: 0.9985 },
      "estimated completeness at least 99.8 % (95 % confidence); " +
        "fewer than one missed open port is expected, 2 at the worst of these figures\n",
      { open: 1_000 },
    ],
  ])("tells how many ports are probably missing: %j", (over, line, found = {}) => {
    const summary = { ...WHOLE, ...found, lossEstimate: { ...ESTIMATE, ...over } };
    expect(summaryText(summary, "ports")).toContain(line);
  });

  test("never says that all was found, whatever the estimate", () => {
    for (const completenessLow of [0.9, 0.9999, 0.999_999_999]) {
      const lossEstimate = { ...ESTIMATE, ...NO_LOSS, completenessLow };
      const text = summaryText({ ...WHOLE, lossEstimate }, "ports");
      expect(text).not.toContain("completeness 100");
      expect(text).not.toContain("at least 100");
      expect(text).not.toContain("no open port");
    }
  });

  test("reckons nothing from no open port", () => {
    const text = summaryText({ ...WHOLE, open: 0, lossEstimate: { ...ESTIMATE, ...NO_LOSS } }, "ports");
    expect(text).toEndWith("estimated completeness at least 99.9 % (95 % confidence)\n");
  });

  test("of a part, the estimate speaks of that part", () => {
    const text = summaryText({ ...WHOLE, partial: true, coverage: 0.5, lossEstimate: ESTIMATE }, "ports");
    expect(text).toContain("estimated completeness of what was probed 99.7 %");
  });

  test("of a search for hosts speaks of hosts only", () => {
    const text = summaryText({ ...WHOLE, open: 12, lossEstimate: { ...ESTIMATE, missedOpen: 3.1 } }, "hosts");
    expect(text).toStartWith("12 up of 65,536 addresses\n");
    expect(text).toContain("; about 3 missed hosts that are up are expected\n");
    expect(text).not.toContain("port");
  });

  test("tells of hosts that are not to be believed", () => {
    expect(summaryText({ ...WHOLE, hostsSuspicious: 0, openWithheld: 0 }, "ports")).not.toContain(
      "every port",
    );
    expect(summaryText({ ...WHOLE, hostsSuspicious: 1, openWithheld: 65_535 }, "ports")).toContain(
      "warning: 1 host answers on every port; 65,535 ports that seemed open are not listed\n",
    );
    expect(summaryText({ ...WHOLE, hostsSuspicious: 2, openWithheld: 5 }, "ports")).toContain(
      "2 hosts answer on every port",
    );
  });
});
