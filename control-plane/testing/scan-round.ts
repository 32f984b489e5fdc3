/** Whole scans for tests: started, claimed, reported and ended through the real app, and compared with what was known. */

import type { z } from "zod";
import { changeListSchema, scanChangeListSchema } from "#shared/protocol/changes.ts";
import { endpointListSchema, type EndpointView } from "#shared/protocol/endpoints.ts";
import type { Job, ScanSummary } from "#shared/protocol/job.ts";
import type { ScanCreateRequest, ScanView } from "#shared/protocol/operator.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { TestControlPlane, TestScanner } from "./control-plane.ts";

export interface Found {
  readonly address: string;
  readonly port: number;
  readonly protocol?: "tcp" | "udp";
  readonly state?: PortState;
  readonly service?: string;
  readonly product?: string;
  readonly version?: string;
  readonly observedAt?: string;
  readonly reason?: string;
  readonly banner?: string;
}

/** How a job ends; `complete` covers all of its scope. */
export type Ending = "complete" | "partial" | "failed" | "cancelled";

const OBSERVED_AT = "2026-01-27T10:00:00.000Z";

export function summaryOf(changes: Partial<ScanSummary> = {}): ScanSummary {
  return {
    partial: false,
    ended: "done",
    link: "packet",
    addresses: 1,
    ports: 1,
    probesPlanned: 10,
    probesCovered: 10,
    coverage: 1,
    packetsSent: 10,
    packetsReceived: 1,
    packetsRejected: 0,
    duplicates: 0,
    sendErrors: 0,
    kernelDrops: 0,
    open: 1,
    closed: 0,
    filtered: 9,
    hostsUnreachable: 0,
    durationMs: 10,
    ratePps: 1_000,
    ...changes,
  };
}

/** Reports what was found and ends the job. */
export async function finishJob(
  plane: TestControlPlane,
  scanner: TestScanner,
  job: Job,
  found: readonly Found[],
  ending: Ending = "complete",
  summary: Partial<ScanSummary> = {},
): Promise<void> {
  await expectGood(plane, scanner, job, "start", {});
  if (found.length > 0) {
    const results = found.map((result) => ({
      protocol: "tcp",
      state: "open",
      reason: "syn-ack",
      observedAt: OBSERVED_AT,
      ...result,
    }));
    await expectGood(plane, scanner, job, "results", { batch: 1, results });
  }
  const cut = { partial: true, ended: "timed-out", coverage: 0.5, probesCovered: 5 } as const;
  await expectGood(plane, scanner, job, "complete", {
    status: ending === "complete" || ending === "partial" ? "completed" : ending,
    resultCount: found.length,
    summary: summaryOf({ ...(ending === "complete" ? {} : cut), ...summary }),
  });
}

async function expectGood(
  plane: TestControlPlane,
  scanner: TestScanner,
  job: Job,
  what: string,
  body: object,
): Promise<void> {
  const answer = await plane.jobCall(scanner, job, what, body);
  if (answer.status !== 200) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** One scan of one job, from beginning to end. */
export async function scanOnce(
  plane: TestControlPlane,
  scanner: TestScanner,
  request: Partial<ScanCreateRequest>,
  found: readonly Found[],
  ending: Ending = "complete",
  summary: Partial<ScanSummary> = {},
): Promise<ScanView> {
  const scan = await plane.startScan([scanner], request);
  await finishJob(plane, scanner, await plane.claim(scanner), found, ending, summary);
  await plane.services.stateChanges.catchUp();
  return plane.getScan(scan.id);
}

export async function changesOf(
  plane: TestControlPlane,
  scan: { readonly id: number },
): Promise<z.infer<typeof scanChangeListSchema>> {
  return plane.operate("GET", `/api/scans/${scan.id}/changes?limit=1000`, scanChangeListSchema);
}

/** `port_closed 10.0.0.1:80/tcp open>closed`, in the order in which they are said. */
export async function changeTexts(plane: TestControlPlane, query = ""): Promise<string[]> {
  const { changes } = await plane.operate("GET", `/api/changes?limit=1000${query}`, changeListSchema);
  return changes.toReversed().map(({ kind, address, port, protocol, from, to }) => {
    const what = port === null ? address : `${address}:${port}/${protocol}`;
    return from === null && to === null ? `${kind} ${what}` : `${kind} ${what} ${from}>${to}`;
  });
}

export async function endpointsOf(plane: TestControlPlane, query = ""): Promise<EndpointView[]> {
  const { endpoints } = await plane.operate("GET", `/api/endpoints?limit=1000${query}`, endpointListSchema);
  return endpoints;
}
