/** Summaries of scans that together make one job. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type LossEstimate, type ScanSummary, scanSummarySchema } from "#shared/protocol/job.ts";
import { mergeSummaries, unscanned } from "./summaries.ts";

const count = fc.nat(1_000_000);

const summary: fc.Arbitrary<ScanSummary> = fc
  .record({
    planned: fc.integer({ min: 1, max: 1_000_000 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    ended: fc.constantFrom("done", "interrupted", "cancelled", "timed-out", "failed"),
    link: fc.constantFrom("packet", "raw", "connect", "packet+raw"),
    counts: fc.tuple(count, count, count, count, count, count, count, count, count),
    ports: fc.integer({ min: 1, max: 65_535 }),
    durationMs: fc.integer({ min: 0, max: 100_000 }),
  })
  .map(({ planned, share, ended, link, counts, ports, durationMs }) => {
    const [
      packetsSent,
      packetsReceived,
      packetsRejected,
      duplicates,
      sendErrors,
      kernelDrops,
      open,
      closed,
      filtered,
    ] = counts;
    const probesCovered = Math.floor(planned * share);
    return {
      partial: probesCovered < planned,
      ended,
      link,
      addresses: planned,
      ports,
      probesPlanned: planned,
      probesCovered,
      coverage: probesCovered / planned,
      packetsSent,
      packetsReceived,
      packetsRejected,
      duplicates,
      sendErrors,
      kernelDrops,
      open,
      closed,
      filtered,
      hostsUnreachable: 0,
      durationMs,
      ratePps: durationMs > 0 ? (packetsSent * 1_000) / durationMs : 0,
    };
  });

describe("mergeSummaries", () => {
  test("gives a summary as the wire takes it: counts add up, coverage is of the whole", () => {
    fc.assert(
      fc.property(summary, summary, (a, b) => {
        const merged = scanSummarySchema.parse(mergeSummaries(a, b));
        for (const field of [
          "probesPlanned",
          "probesCovered",
          "packetsSent",
          "open",
          "closed",
          "filtered",
        ] as const) {
          expect(merged[field]).toBe(a[field] + b[field]);
        }
        expect(merged.coverage).toBe(
          (a.probesCovered + b.probesCovered) / (a.probesPlanned + b.probesPlanned),
        );
        expect(merged.partial).toBe(merged.probesCovered < merged.probesPlanned);
        expect(merged.ports).toBe(Math.max(a.ports, b.ports));
      }),
    );
  });

  test("does not depend on how scans are grouped", () => {
    fc.assert(
      fc.property(summary, summary, summary, (a, b, c) => {
        expect(mergeSummaries(mergeSummaries(a, b), c)).toEqual(mergeSummaries(a, mergeSummaries(b, c)));
      }),
    );
  });

  test("ends as the first scan that did not end well, and is done only if all are", () => {
    fc.assert(
      fc.property(summary, summary, (a, b) => {
        const { ended } = mergeSummaries(a, b);
        expect(ended).toBe(a.ended === "done" ? b.ended : a.ended);
        expect(ended === "done").toBe(a.ended === "done" && b.ended === "done");
      }),
    );
  });

  test("names every link once", () => {
    fc.assert(
      fc.property(summary, summary, (a, b) => {
        const { link } = mergeSummaries(a, b);
        const names = new Set(`${a.link}+${b.link}`.split("+"));
        expect(link).toBe([...names].toSorted().join("+"));
      }),
    );
  });
});

describe("a target that was not scanned", () => {
  test("counts as planned and not as covered, whatever the scans before it did", () => {
    fc.assert(
      fc.property(summary, (before) => {
        const merged = scanSummarySchema.parse(
          mergeSummaries(before, unscanned({ addresses: 256, ports: 4 }, "timed-out")),
        );
        expect(merged.probesPlanned).toBe(before.probesPlanned + 1_024);
        expect(merged.probesCovered).toBe(before.probesCovered);
        expect(merged).toMatchObject({ partial: true, link: before.link });
        expect(merged.ended).toBe(before.ended === "done" ? "timed-out" : before.ended);
      }),
    );
  });

  test("alone covers nothing", () => {
    const alone = scanSummarySchema.parse(unscanned({ addresses: 1, ports: 1 }, "cancelled"));
    expect(alone).toMatchObject({ coverage: 0, partial: true, ended: "cancelled" });
  });
});

describe("the estimate of what was missed", () => {
  const anySummary = fc.sample(summary, { numRuns: 1, seed: 1 })[0];
  if (anySummary === undefined) throw new Error("no sample");
  const base: ScanSummary = anySummary;

  function estimated(open: number, loss: number, overrides: Partial<ScanSummary> = {}): ScanSummary {
    const completeness = 1 - loss ** 2;
    const lossEstimate: LossEstimate = {
      loss,
      lossLow: loss / 2,
      lossHigh: Math.min(1, loss * 2),
      completeness,
      completenessLow: completeness * 0.9,
      completenessHigh: Math.min(1, completeness * 1.01),
      missedOpen: open * loss,
    };
    return { ...base, open, closed: 0, lossEstimate, ...overrides };
  }

  test("weighs each scan by its answers; missed ports add up", () => {
    const { lossEstimate } = mergeSummaries(estimated(300, 0.1), estimated(100, 0.5));
    expect(lossEstimate?.loss).toBeCloseTo(0.2);
    expect(lossEstimate?.missedOpen).toBeCloseTo(80);
  });

  test("counts answers that were not listed", () => {
    const withheld = estimated(0, 0.1, { openWithheld: 300, hostsSuspicious: 1 });
    const merged = scanSummarySchema.parse(mergeSummaries(withheld, withheld));
    expect(merged.lossEstimate?.loss).toBeCloseTo(0.1);
    expect(merged).toMatchObject({ openWithheld: 600, hostsSuspicious: 2 });
  });

  test("is not told where one of the scans could not tell", () => {
    expect(mergeSummaries(estimated(300, 0.1), base)).not.toHaveProperty("lossEstimate");
    expect(mergeSummaries(base, estimated(300, 0.1))).not.toHaveProperty("lossEstimate");
  });

  test("stays between those of its parts, and is valid on the wire", () => {
    const part = fc.tuple(fc.integer({ min: 30, max: 10_000 }), fc.double({ min: 0, max: 0.9, noNaN: true }));
    fc.assert(
      fc.property(part, part, ([openA, lossA], [openB, lossB]) => {
        const merged = scanSummarySchema.parse(
          mergeSummaries(estimated(openA, lossA), estimated(openB, lossB)),
        );
        expect(merged.lossEstimate?.loss).toBeWithin(
          Math.min(lossA, lossB) - 1e-9,
          Math.max(lossA, lossB) + 1e-9,
        );
      }),
    );
  });
});
