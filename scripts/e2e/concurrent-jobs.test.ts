/**
 * Several jobs of one compiled agent at once, on the wire of a lab: together within the scanner's limit, each as exact as
 * alone, and none in another's way. The control plane is one of a few lines, so that each job is what a test makes it.
 */

import { afterAll, afterEach, beforeAll, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  FakeControlPlane,
  type HeardJob,
  type JobWish,
} from "../../agent/daemon/testing/fake-control-plane.ts";
import { LAB_HOSTS } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { Service, waitFor } from "../processes/service.ts";
import { AGENT } from "../testing/programs.ts";
import { E2E_TIMEOUT_MS, WAIT_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const CONCURRENT = 3;
/** What a sender that was held up may catch up with in a moment, 0.1 s of sending, is little of this. */
const WINDOW_MS = 6_000;
/** The most that may pass of a limit. */
const TOLERANCE = 1.02;

let lab: Lab;
let plane: FakeControlPlane;
let folder: string;
let agent: Service;

beforeAll(async () => {
  lab = await createLab();
});

afterAll(async () => {
  await lab.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-e2e-"));
  plane = new FakeControlPlane(lab.uplinkHere);
  agent = startAgent();
});

afterEach(async () => {
  await agent.stop();
  plane[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

function startAgent(): Service {
  const options = ["--server", plane.url, "--allow-plain-http", "--max-concurrent-scans", `${CONCURRENT}`];
  return new Service(
    "the agent",
    lab.onScanner([AGENT, "run", "--state-dir", join(folder, "state"), ...options]),
    join(folder, "agent.log"),
    { envBase: "clean", env: { API_KEY: "ptl_key_lab" } },
  );
}

function agentLog(): string {
  return readFileSync(join(folder, "agent.log"), "utf8");
}

/** Job by job the same: every port of some hosts, as fast as may be. */
function addJobs(ports: string, wish: Partial<JobWish> = {}): HeardJob[] {
  const addresses = LAB_HOSTS.map(({ address }) => address);
  return Array.from({ length: CONCURRENT }, () => plane.add({ targets: [{ addresses, ports }], ...wish }));
}

async function when(what: string, is: () => boolean): Promise<void> {
  await waitFor(what, WAIT_TIMEOUT_MS, [agent], async () => (is() ? true : undefined));
}

/** SYN packets a second that reached the lab, over a window; not more by how the counter is read. */
async function receivedPps(): Promise<number> {
  const fromMs = performance.now();
  const before = lab.synsReceived();
  await Bun.sleep(WINDOW_MS);
  const after = lab.synsReceived();
  return ((after - before) * 1_000) / (performance.now() - fromMs);
}

function probesOf(jobs: readonly HeardJob[]): number[] {
  return jobs.map(({ progress }) => progress.at(-1) ?? 0);
}

async function followsLimit(jobs: readonly HeardJob[], limitPps: number): Promise<number> {
  plane.scannerProbesPerSecond = limitPps;
  await when("the new limit", () => agentLog().includes(`All jobs together are now limited to ${limitPps} `));
  const before = probesOf(jobs);
  const pps = await receivedPps();
  expect(pps).toBeLessThanOrEqual(limitPps * TOLERANCE);
  probesOf(jobs).forEach((probes, i) => expect(probes).toBeGreaterThan(before[i] ?? 0));
  return pps;
}

test("all jobs together stay within the scanner's limit on the wire, and follow it when it changes", async () => {
  plane.scannerProbesPerSecond = 900;
  const jobs = addJobs("1-65535");
  await when("all jobs to send", () => probesOf(jobs).every((probes) => probes > 0));
  await followsLimit(jobs, 1_000);
  // More than before was allowed: it is this limit that holds.
  expect(await followsLimit(jobs, 3_000)).toBeGreaterThan(1_500);
  await followsLimit(jobs, 600);
});

test("the end of one job leaves its share to the others", async () => {
  plane.scannerProbesPerSecond = 900;
  const [first, ...others] = addJobs("1-65535");
  await when("all jobs to send", () => probesOf(others).every((probes) => probes > 0));
  if (first !== undefined) first.cancel = true;
  await when("the end of one", () => first?.completion !== undefined);
  expect(first?.completion?.status).toBe("cancelled");
  const before = probesOf(others);
  const pps = await receivedPps();
  expect(pps).toBeLessThanOrEqual(900 * TOLERANCE);
  // Two thirds are what they had before.
  expect(pps).toBeGreaterThan(600 * TOLERANCE);
  probesOf(others).forEach((probes, i) => expect(probes).toBeGreaterThan(before[i] ?? 0));
  expect(others.map(({ completion }) => completion)).toEqual(others.map(() => undefined));
});

test("jobs over the same ports at the same time each find exactly what is there, UDP included", async () => {
  const jobs = addJobs("1-1000,U:1-200,9999", {
    maxProbesPerSecond: 5_000,
    options: { retries: 2, reportStates: ["open"] },
  });
  await when("all jobs to end", () => jobs.every(({ completion }) => completion !== undefined));
  const tcp = LAB_HOSTS.flatMap(({ address, open }) => open.map((port) => `${address} ${port}/tcp open`));
  const udp = LAB_HOSTS.flatMap(({ address, udpOpen }) =>
    udpOpen.map((port) => `${address} ${port}/udp open`),
  );
  const truth = [...tcp, ...udp].toSorted();
  for (const { results, completion } of jobs) {
    expect(completion).toMatchObject({ status: "completed", summary: { coverage: 1, partial: false } });
    expect(portLines(results)).toEqual(truth);
  }
  // A transmit queue takes one AF_XDP socket: who comes second sends the same frames in another way, and says so.
  const byPacket = jobs.filter(({ completion }) => completion?.summary?.link === "packet");
  expect(byPacket.length).toBeGreaterThanOrEqual(CONCURRENT - 1);
  for (const { logs } of byPacket) {
    expect(logs).toContainEqual(expect.stringMatching(/^info: using the packet link/));
  }
});

test("told to stop, the agent ends every scan by itself, and delivers after its next start", async () => {
  plane.takesNoResults = true;
  plane.scannerProbesPerSecond = 3_000;
  const jobs = addJobs("1-65535", { options: { reportStates: ["open", "closed"] } });
  await when("all jobs to send", () => probesOf(jobs).every((probes) => probes > 1_000));
  await agent.stop();
  expect(agentLog()).toContain("Agent stopped\n");
  plane.takesNoResults = false;
  agent = startAgent();
  await when("what was found", () => jobs.every(({ results }) => results.length > 0));
  expect(jobs.map(({ completion }) => completion)).toEqual(jobs.map(() => undefined));
});
