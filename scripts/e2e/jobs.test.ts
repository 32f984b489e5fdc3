/** Both compiled programs together: a scan goes out as a job and comes back as results, whatever happens between. */

import { afterAll, beforeAll, expect, test, setDefaultTimeout } from "bun:test";
import type { ResultView } from "#shared/protocol/operator.ts";
import { LAB_HOSTS } from "../lab/hosts.ts";
import { execute } from "../processes/command.ts";
import { AGENT } from "../testing/programs.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { Installation } from "./installation.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let site: Installation;

beforeAll(async () => {
  site = await Installation.start();
});

afterAll(async () => {
  await site.close();
});

const SERVER = LAB_HOSTS.find(({ what }) => what === "server");
const SERVER_ADDRESS = SERVER?.address ?? "";

/** `port state`, in the order of ports; a result that came twice stands twice. */
function portsOf(results: readonly ResultView[]): string[] {
  return results.toSorted((a, b) => a.port - b.port).map(({ port, state }) => `${port} ${state}`);
}

function serverPorts(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).map((port) => {
    if (SERVER?.open.includes(port) === true) return `${port} open`;
    return SERVER?.dropped.includes(port) === true ? `${port} filtered` : `${port} closed`;
  });
}

test("a heartbeat shows load, memory and traffic of the scanner's host", async () => {
  const { metrics, externalIp, version } = await site.scannerWhen((scanner) => scanner.metrics !== null);
  expect(metrics?.memoryTotalBytes).toBeGreaterThan(0);
  expect(metrics?.memoryAvailableBytes).toBeGreaterThan(0);
  expect(metrics?.numCpus).toBeGreaterThan(0);
  expect(metrics?.loadAvg1m).toBeGreaterThanOrEqual(0);
  expect(metrics?.networkRxBytes).toBeGreaterThan(0);
  expect(externalIp).toBe(site.lab.uplinkThere);
  expect(version).not.toBeNull();
});

test("a scan through the control plane finds exactly what is there", async () => {
  const addresses = LAB_HOSTS.map(({ address }) => address).join(",");
  const id = await site.startScan("--targets", addresses, "--ports", "1-1000", "--rate", "20000");
  const scan = await site.scanWhen(id, ({ endedAt }) => endedAt !== null);
  expect(scan).toMatchObject({ status: "completed", coverage: 1 });
  const found = (await site.results(id)).map(({ address, port, state }) => `${address} ${port} ${state}`);
  expect(found.toSorted()).toEqual(
    LAB_HOSTS.flatMap(({ address, open }) => open.map((port) => `${address} ${port} open`)).toSorted(),
  );
});

test("killing the control plane during a scan and starting it again loses and doubles nothing", async () => {
  const words = ["--targets", SERVER_ADDRESS, "--ports", "1-6000", "--rate", "2000"];
  const id = await site.startScan(...words, "--report", "open,closed,filtered");
  // Some results are in, most are not.
  await site.scanWhen(id, ({ resultCount }) => resultCount > 0);
  await site.controlPlane.kill();
  await site.controlPlane.restart();
  const scan = await site.scanWhen(id, ({ endedAt }) => endedAt !== null);
  expect(scan).toMatchObject({ status: "completed", coverage: 1, resultCount: 6_000 });
  expect(portsOf(await site.results(id))).toEqual(serverPorts(1, 6_000));
});

test("a cancelled scan stops, keeps what was found, and is not called completed", async () => {
  const words = ["--targets", SERVER_ADDRESS, "--ports", "1-60000", "--rate", "1000"];
  const id = await site.startScan(...words, "--report", "open,closed");
  await site.scanWhen(id, ({ resultCount }) => resultCount > 0);
  await site.operator("scan", "cancel", String(id));
  const scan = await site.scanWhen(id, ({ endedAt }) => endedAt !== null);
  expect(scan.status).toBe("cancelled");
  expect(scan.coverage).toBeLessThan(1);
  expect((await site.results(id)).length).toBe(scan.resultCount);
});

test("results that could not be delivered before a stop are delivered after the next start", async () => {
  const words = ["--targets", SERVER_ADDRESS, "--ports", "1-3000", "--rate", "1000"];
  const id = await site.startScan(...words, "--report", "open,closed,filtered");
  await site.scanWhen(id, ({ resultCount }) => resultCount > 0);
  await site.controlPlane.kill();
  await site.stopAgent();
  await site.controlPlane.restart();
  const before = (await site.results(id)).length;
  site.startAgent();
  // What was on disk arrives first; the job itself is handed out again when its lease has run out.
  const scan = await site.scanWhen(id, ({ resultCount }) => resultCount > before);
  expect(scan.status).toBe("running");
  const found = portsOf(await site.results(id));
  expect(new Set(found).size).toBe(found.length);
  expect(serverPorts(1, 3_000)).toEqual(expect.arrayContaining(found));
});

test("a key that the control plane does not know: one line, exit code 2", async () => {
  const command = site.lab.onScanner([AGENT, "run", "--state-dir", site.folder, "--allow-plain-http"]);
  const env = { API_KEY: "ptl_key_wrong", BACKEND_URL: `${site.controlPlane.url}/` };
  const outcome = await execute(command, { envBase: "clean", env });
  expect(outcome.exitCode).toBe(2);
  expect(outcome.stderr.trimEnd().split("\n")).toEqual([expect.stringContaining("enroll this host again")]);
});

test("a provisioning token serves once: one line, exit code 2", async () => {
  const token = await site.provision("second");
  expect(await site.enroll(token, "one")).toMatchObject({ exitCode: 0 });
  const again = await site.enroll(token, "two");
  expect(again).toMatchObject({ exitCode: 2, stdout: "" });
  expect(again.stderr.trimEnd().split("\n")).toHaveLength(1);
  expect(again.stderr).toContain("token");
});

test("no secret reaches the agent's log", () => {
  expect(site.agentLog()).not.toContain("ptl_");
});
