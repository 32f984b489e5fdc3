/** A scanner's own limit, from the operator's word to the wire: whatever scans it runs at a time, together they keep it. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { LAB_HOSTS } from "../lab/hosts.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { Installation, MAX_CONCURRENT_SCANS } from "./installation.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const WINDOW_MS = 6_000;
/** The most that may pass of a limit. */
const TOLERANCE = 1.02;
const TARGETS = LAB_HOSTS.map(({ address }) => address).join(",");

let site: Installation;

beforeAll(async () => {
  site = await Installation.start();
});

afterAll(async () => {
  await site.close();
});

/** SYN packets a second that reached the lab, over a window. */
async function receivedPps(): Promise<number> {
  const fromMs = performance.now();
  const before = site.lab.synsReceived();
  await Bun.sleep(WINDOW_MS);
  const after = site.lab.synsReceived();
  return ((after - before) * 1_000) / (performance.now() - fromMs);
}

test("three jobs at once keep it together, and follow it when it changes", async () => {
  const { operator } = site.controlPlane;
  const { id: scannerId } = await site.scannerWhen(({ status }) => status === "active");
  await operator.limitScanner(scannerId, 900);
  // Some minutes at this rate, so it is cut into as many jobs as may run at a time, and more.
  const id = await site.startScan("--targets", TARGETS, "--ports", "1-65535", "--rate", "0");
  await site.scanWhen(
    id,
    ({ jobs }) => jobs.filter(({ progressCount }) => progressCount > 0).length === MAX_CONCURRENT_SCANS,
  );
  const limited = await receivedPps();
  expect(limited).toBeLessThanOrEqual(900 * TOLERANCE);
  // No less than two of three jobs' shares: the limit is divided, not given away.
  expect(limited).toBeGreaterThan(600);

  await operator.limitScanner(scannerId, 2_400);
  await site.agentSays("limited to 2400 ");
  const raised = await receivedPps();
  expect(raised).toBeLessThanOrEqual(2_400 * TOLERANCE);
  expect(raised).toBeGreaterThan(1_600);

  await site.operator("scan", "cancel", String(id));
  const { status } = await site.scanWhen(id, ({ endedAt }) => endedAt !== null);
  expect(status).toBe("cancelled");
});
