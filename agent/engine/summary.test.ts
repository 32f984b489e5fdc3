/** The summary: honest about what was covered, and in the shape of the wire. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import { CLOSED, OPEN, PACKETS_SENT, POSITION, REFUSED_FIRST_PASS, SEND_ERRORS } from "./control-block.ts";
import type { RouteSegment } from "./link/route.ts";
import { compilePlan, type ProbeKind, type ScanRequest, type WorkerPlan } from "./plan.ts";
import { summarize } from "./summary.ts";

const FIRST = 0x7f00_0001;
const ADDRESSES = 8;
const PORTS = 4;
const PLANNED = ADDRESSES * PORTS;

const REQUEST: ScanRequest = {
  addresses: [{ first: FIRST, last: FIRST + ADDRESSES - 1 }],
  ports: [{ first: 1, last: PORTS }],
  ratePps: 100,
  retries: 0,
  portTimeoutMs: 100,
  maxRuntimeMs: undefined,
  link: "connect",
  seed: 1,
  report: ["open"],
};

function planWith(
  counters: ReadonlyMap<number, number>,
  probing: ProbeKind = "connect",
  segments: readonly RouteSegment[] = [segment(0, ADDRESSES, "raw")],
): WorkerPlan {
  const plan = compilePlan(REQUEST, probing, segments, 61_000, { k0: 1, k1: 2 });
  for (const [place, value] of counters) plan.control.counters[place] = value;
  return plan;
}

/** `count` addresses from the request's, `skip` addresses in. */
function segment(skip: number, count: number, via: RouteSegment["via"]): RouteSegment {
  const first = FIRST + skip;
  return {
    first,
    last: first + count - 1,
    interfaceName: "x0",
    interfaceIndex: 1,
    source: 1,
    via,
    gateway: undefined,
    mac: new Uint8Array(0),
  };
}

const DONE = { ended: "done", durationMs: 2_000 } as const;

describe("summarize", () => {
  test("a whole scan: everything covered, silence counts as filtered", () => {
    const counters = new Map([
      [POSITION, PLANNED],
      [PACKETS_SENT, 40],
      [OPEN, 3],
      [CLOSED, 20],
    ]);
    expect(summarize(planWith(counters), DONE)).toMatchObject({
      partial: false,
      ended: "done",
      link: "connect",
      addresses: ADDRESSES,
      ports: PORTS,
      probesPlanned: PLANNED,
      probesCovered: PLANNED,
      coverage: 1,
      open: 3,
      closed: 20,
      filtered: PLANNED - 23,
      durationMs: 2_000,
      ratePps: 20,
    });
  });

  test("probes that the kernel refused are not covered, and the scan is partial", () => {
    const counters = new Map([
      [POSITION, PLANNED],
      [SEND_ERRORS, 8],
      [REFUSED_FIRST_PASS, 8],
    ]);
    const summary = summarize(planWith(counters), DONE);
    expect(summary).toMatchObject({
      partial: true,
      probesCovered: PLANNED - 8,
      coverage: 0.75,
      filtered: PLANNED - 8,
    });
  });

  test("names each link once, sorted", () => {
    const segments = [segment(0, 2, "raw"), segment(2, 3, "packet"), segment(5, 3, "raw")];
    expect(summarize(planWith(new Map(), "syn", segments), DONE).link).toBe("packet+raw");
    expect(summarize(planWith(new Map(), "connect", segments), DONE).link).toBe("connect");
  });

  test("has no rate where no time has passed", () => {
    const summary = summarize(planWith(new Map([[PACKETS_SENT, 5]])), {
      ended: "interrupted",
      durationMs: 0,
    });
    expect(summary.ratePps).toBe(0);
  });

  test("is valid on the wire whatever the counters hold, and partial unless all was covered", () => {
    const counters = fc.record({
      covered: fc.nat(PLANNED),
      refused: fc.nat(PLANNED),
      answered: fc.nat(PLANNED),
    });
    fc.assert(
      fc.property(counters, ({ covered, refused, answered }) => {
        const places = new Map([
          [POSITION, covered],
          [REFUSED_FIRST_PASS, refused],
          [OPEN, answered],
        ]);
        const summary = scanSummarySchema.parse(summarize(planWith(places), DONE));
        expect(summary.partial).toBe(covered - refused < PLANNED);
      }),
      { numRuns: 30 },
    );
  });
});
