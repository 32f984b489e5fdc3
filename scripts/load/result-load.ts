/** Agents that deliver results as fast as they are taken: real calls, made and answered as between real programs. */

import { insertJobs } from "../../control-plane/store/jobs.ts";
import { insertScan } from "../../control-plane/store/scans.ts";
import type { Store } from "../../control-plane/store/store.ts";
import { scannerVantage } from "../../control-plane/store/vantages.ts";
import { type Job, jobsResponseSchema } from "#shared/protocol/job.ts";
import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import type { FleetScanner } from "./fleet.ts";

/** Every port of a job's addresses is reported, in the three states. */
const PORTS = 1_000;
const OBSERVED_AT = new Date().toISOString();

/** In which order an agent finds what it finds: a real one mixes its targets. */
export type Order = "mixed" | "sorted";

export interface Delivery {
  readonly rows: number;
  readonly seconds: number;
}

/** A scan with a job for each agent, of this many results. Returns the scan's id. */
export async function createScan(
  store: Store,
  fleet: readonly FleetScanner[],
  rowsPerJob: number,
): Promise<number> {
  return store.transaction(async (session) => {
    const options = { retries: 1, portTimeoutMs: 1_500, scanTimeoutSeconds: 86_400 };
    const scanId = await insertScan(session, {
      name: "load",
      targets: "[]",
      ports: `1-${PORTS}`,
      engine: "syn",
      options: JSON.stringify({ ...options, reportStates: ["open", "closed", "filtered"] }),
      max_pps: 0,
      probes: rowsPerJob * fleet.length,
      created_by: "load",
    });
    await insertJobs(
      session,
      fleet.map(({ id }, index) => ({
        scan_id: scanId,
        vantageKey: scannerVantage(id),
        scannerIds: [id],
        targets: JSON.stringify([{ addresses: [`10.${index}.0.0/16`], ports: `1-${PORTS}` }]),
        probes: rowsPerJob,
      })),
    );
    return scanId;
  });
}

/** Claims a job for each agent and delivers all of its results, every agent one batch after the other. */
export async function deliver(
  url: string,
  fleet: readonly FleetScanner[],
  rowsPerJob: number,
  batchRows: number,
  order: Order,
): Promise<Delivery> {
  const jobs: Job[] = [];
  for (const scanner of fleet) jobs.push(await claim(url, scanner));
  const startMs = performance.now();
  await Promise.all(
    fleet.map(async (scanner, index) => {
      const job = jobs[index];
      if (job === undefined) throw new Error("an agent has no job");
      for (let from = 0, batch = 1; from < rowsPerJob; from += batchRows, batch++) {
        const count = Math.min(batchRows, rowsPerJob - from);
        const body = batchText(job.leaseId, batch, index, from, count, rowsPerJob, order);
        await call(url, scanner, `/scanner/jobs/${job.jobId}/results`, body);
      }
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  await Promise.all(
    fleet.map((scanner, index) => {
      const completed = { leaseId: jobs[index]?.leaseId, status: "completed", resultCount: rowsPerJob };
      return call(url, scanner, `/scanner/jobs/${jobs[index]?.jobId}/complete`, JSON.stringify(completed));
    }),
  );
  return { rows: rowsPerJob * fleet.length, seconds };
}

async function claim(url: string, { apiKey }: FleetScanner): Promise<Job> {
  const response = await fetch(`${url}/scanner/jobs`, { headers: { [API_KEY_HEADER]: apiKey } });
  const [job] = jobsResponseSchema.parse(await response.json()).jobs;
  if (job === undefined) throw new Error("there was no job to claim");
  return job;
}

async function call(url: string, { apiKey }: FleetScanner, path: string, body: string): Promise<void> {
  const headers = { [API_KEY_HEADER]: apiKey, "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body });
  if (response.status !== 200)
    throw new Error(`${path} was answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** Written by hand: this program shares the machine with the one that it measures. */
function batchText(
  leaseId: string,
  batch: number,
  network: number,
  from: number,
  count: number,
  rows: number,
  order: Order,
): string {
  const results: string[] = [];
  for (let i = from; i < from + count; i++) {
    // An odd factor near the golden ratio of the range: each number once, far from the one before.
    const row = order === "sorted" ? i : (i * stepThrough(rows)) % rows;
    const host = Math.floor(row / PORTS);
    const port = 1 + (row % PORTS);
    const state = port % 100 === 0 ? '"open","reason":"syn-ack"' : '"closed","reason":"reset"';
    results.push(
      `{"address":"10.${network}.${host >> 8}.${host & 255}","port":${port},"protocol":"tcp","state":${state},"ttl":64,"observedAt":"${OBSERVED_AT}"}`,
    );
  }
  return `{"leaseId":"${leaseId}","batch":${batch},"results":[${results.join(",")}]}`;
}

/** A number without a common factor with `rows`. */
function stepThrough(rows: number): number {
  let step = Math.floor(rows * 0.618) | 1;
  while (greatestCommonDivisor(step, rows) !== 1) step += 2;
  return step;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
