/** The dashboard of the compiled control plane in a real browser. The scanner is played by the test. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { jobsResponseSchema } from "#shared/protocol/job.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { Browser } from "../testing/browser.ts";
import { ControlPlane } from "../testing/control-plane.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

/** Does something that shows, wherever it ends up as markup. */
const HOSTILE = `<img src=x onerror="alert('broken in')"><script>alert('broken in')</script>`;
/** The browser itself writes this for every answer of 4xx, however well it is handled. */
const REFUSED = /^Failed to load resource: the server responded with a status of 40[01] /;

let controlPlane: ControlPlane;
let browser: Browser;
let apiKey = "";

beforeAll(async () => {
  controlPlane = await ControlPlane.start();
  browser = await Browser.open();
});

afterAll(async () => {
  await browser?.close();
  await controlPlane?.close();
});

/** A call as the scanner. */
async function scannerCall(path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${controlPlane.url}/scanner${path}`, {
    headers: { "X-API-Key": apiKey, "Content-Type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

test("a wrong token does not sign in, and the page says so", async () => {
  const { page } = browser;
  await page.goto(controlPlane.url);
  await page.getByLabel("Operator token").fill("ptl_op_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("the operator's token is unknown or revoked").waitFor();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("the right token signs in, until sign-out, and no script can read the session", async () => {
  const { page } = browser;
  const signIn = async (): Promise<void> => {
    await page.getByLabel("Operator token").fill(controlPlane.token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("There are no scanners yet.").waitFor();
  };
  await signIn();
  await page.reload();
  await page.getByText("There are no scanners yet.").waitFor();
  expect(await page.evaluate("document.cookie")).toBe("");
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await signIn();
});

test("an added scanner comes with the line to run on its host", async () => {
  const { page } = browser;
  await page.getByRole("button", { name: "Add scanner" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("no such name");
  await dialog.getByLabel("Description").fill(HOSTILE);
  await dialog.getByRole("button", { name: "Add scanner" }).click();
  await dialog.getByText("must be letters, digits and hyphens").waitFor();
  await dialog.getByLabel("Name").fill("edge-1");
  await dialog.getByRole("button", { name: "Add scanner" }).click();
  const line = (await dialog.locator("pre").textContent()) ?? "";
  expect(line).toMatch(/^curl -fsSL -H 'Authorization: Bearer ptl_prov_[\w-]{43}' 'http:\S+' \| sudo sh$/);
  await dialog.getByRole("button", { name: "Copy" }).click();
  await dialog.getByText(/^(?:Copied|Selected)/).waitFor();
  await dialog.getByRole("button", { name: "Done" }).click();
  await page
    .getByRole("row", { name: /edge-1/ })
    .getByText("pending")
    .waitFor();

  const provisioning = { token: /ptl_prov_[\w-]+/.exec(line)?.[0], installId: crypto.randomUUID() };
  apiKey = registerResponseSchema.parse(await scannerCall("/register", provisioning)).apiKey;
});

test("what a scanner tells of itself is shown as text", async () => {
  const { page } = browser;
  const metrics = { loadAvg1m: 0.5, numCpus: 4, memoryTotalBytes: 1_000, memoryAvailableBytes: 250 };
  await scannerCall("/heartbeat", { version: HOSTILE, hostname: HOSTILE, metrics });
  const row = page.getByRole("row", { name: /edge-1/ });
  await row.getByText("active").waitFor();
  await row.getByText("0.50 / 4").waitFor();
  await row.getByText("75 %").waitFor();
  // Hostname, description and version.
  expect(await row.getByText(HOSTILE, { exact: true }).count()).toBe(3);
});

test("a scan is started, followed, and listed", async () => {
  const { page } = browser;
  await page.getByRole("link", { name: "Scans" }).click();
  await page.getByText("Nothing has been scanned yet.").waitFor();
  await page.getByRole("link", { name: "Start scan" }).click();
  await page.getByLabel("Targets").fill("127.0.0.300");
  await page.getByLabel("Ports", { exact: true }).fill("22,80");
  await page.getByLabel("Name").fill(HOSTILE);
  await page.getByRole("button", { name: "Start scan" }).click();
  await page.getByText("invalid target '127.0.0.300'").waitFor();
  await page.getByLabel("Targets").fill("127.0.0.1");
  await page.getByRole("button", { name: "Start scan" }).click();
  await page.getByRole("heading", { name: "Scan 1" }).waitFor();
  await page.getByText("Nothing found yet.").waitFor();

  const [job] = jobsResponseSchema.parse(await scannerCall("/jobs")).jobs;
  if (job === undefined) throw new Error("the scanner got no job");
  const { leaseId } = job;
  await scannerCall(`/jobs/${job.jobId}/start`, { leaseId });
  await page.getByRole("status").getByText("running").waitFor();
  const result = {
    address: "127.0.0.1",
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt: new Date().toISOString(),
  };
  const results = [
    { ...result, port: 22, banner: `${HOSTILE}\u0007` },
    { ...result, port: 80, product: HOSTILE },
  ];
  await scannerCall(`/jobs/${job.jobId}/results`, { leaseId, batch: 1, results });
  const table = page.getByRole("table", { name: "Results" });
  await table.getByText(`${HOSTILE}\\x07`, { exact: true }).waitFor();
  await table.getByText(HOSTILE, { exact: true }).waitFor();

  await page.getByLabel("Port", { exact: true }).fill("80");
  await page.getByRole("button", { name: "Filter" }).click();
  await table.getByText("22/tcp").waitFor({ state: "detached" });
  await table.getByText("80/tcp").waitFor();

  await page.getByRole("button", { name: "Cancel scan" }).click();
  await scannerCall(`/jobs/${job.jobId}/complete`, { leaseId, status: "cancelled", resultCount: 2 });
  await page.getByRole("status").getByText("cancelled").waitFor();

  await page.getByRole("link", { name: "Scans" }).click();
  const row = page.getByRole("row", { name: /127\.0\.0\.1 ports 22,80/ });
  await row.getByText("cancelled").waitFor();
  await row.getByText(HOSTILE, { exact: true }).waitFor();
});

test("a revoked session leads back to the sign-in", async () => {
  const { page } = browser;
  await page.context().clearCookies();
  await page.getByText("Your session has ended. Sign in again to go on.").waitFor();
});

test("nothing hostile was run, and nothing went wrong unseen", () => {
  expect(browser.dialogs).toEqual([]);
  // Those that are expected show that errors are heard at all.
  expect(browser.errors.length).toBeGreaterThan(0);
  expect(browser.errors.filter((text) => !REFUSED.test(text))).toEqual([]);
});
