/**
 * The quick start: everything a user would do on the first day, done for real and shown step by step.
 * Started by scripts/quickstart.sh after the build. Leaves nothing behind, whichever way it ends.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage } from "#shared/errors.ts";
import {
  resultListSchema,
  type ScannerView,
  scannerListSchema,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { compare } from "./report.ts";
import { outputOf } from "../processes/command.ts";
import { Service, waitFor } from "../processes/service.ts";
import { openSite, type Site } from "./site.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const CONTROL = join(ROOT, "dist/portolan-control");
const SCANNER = "quickstart";
const USUAL_PORT = 8420;

/** The shell script has seen to it that there is no other option. */
const keep = process.argv.includes("--keep");

function say(text = ""): void {
  process.stdout.write(`${text}\n`);
}

/** The usual port where it is free, else any. */
function freePort(): number {
  for (const port of [USUAL_PORT, 0]) {
    try {
      const probe = Bun.listen({ hostname: "0.0.0.0", port, socket: { data: () => undefined } });
      const free = probe.port;
      probe.stop();
      return free;
    } catch {
      // Taken; try the next.
    }
  }
  throw new Error("no port is free for the control plane");
}

/**
 * Every step, one after the other.
 * @param services gets each program that is started, to be ended by the caller
 * @returns whether every port was found as it is
 */
async function quickstart(
  site: Site,
  folder: string,
  services: Service[],
  stop: AbortSignal,
): Promise<boolean> {
  const port = freePort();
  const operatorUrl = `http://127.0.0.1:${port}`;
  const scannerUrl = `http://${site.controlPlaneHost}:${port}`;
  const dataDir = join(folder, "control-plane");
  const tokenFile = join(dataDir, "admin-token");
  const asOperator = ["--server", operatorUrl, "--token-file", tokenFile];

  say(`1. Control plane, on SQLite, at ${operatorUrl}`);
  const listen = [...new Set([`127.0.0.1:${port}`, `${site.controlPlaneHost}:${port}`])];
  const serve = [CONTROL, "serve", "--data-dir", dataDir, "--public-url", scannerUrl];
  const controlPlane = new Service(
    "the control plane",
    [...serve, ...listen.flatMap((address) => ["--listen", address])],
    join(folder, "control-plane.log"),
  );
  services.push(controlPlane);
  await waitFor("the control plane", 20_000, services, async () => {
    if (!existsSync(tokenFile)) return undefined;
    const response = await fetch(`${operatorUrl}/health`).catch(() => undefined);
    return response?.ok === true ? true : undefined;
  });

  stop.throwIfAborted();
  say(`2. A scanner is provisioned; on a host of its own this one-time line would do it:`);
  const line = await outputOf([CONTROL, "scanner", "add", SCANNER, ...asOperator]);
  say(`   ${line}`);
  const prefix = join(folder, "scanner-host");
  const plain = scannerUrl.startsWith("http://127.") ? "" : " --allow-plain-http";
  const trial = line.replace(/\| sudo sh$/, `| sh -s -- --prefix '${prefix}'${plain}`);
  if (trial === line) throw new Error(`the one-time line is not as expected: ${line}`);
  say(`   Here the same line is told to stay below a folder of its own:`);
  say(`   ${trial}`);
  await outputOf(site.onScannerHost(["sh", "-c", trial]));

  stop.throwIfAborted();
  say(`3. The agent starts on the scanner's host`);
  services.push(
    new Service(
      "the agent",
      site.onScannerHost([join(prefix, "bin/portolan-agent"), "run", "--config", join(prefix, "agent.yaml")]),
      join(folder, "agent.log"),
    ),
  );
  const token = readFileSync(tokenFile, "utf8").trim();
  const get = async (path: string): Promise<unknown> => {
    const response = await fetch(`${operatorUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const scanner = await waitFor("the scanner's first heartbeat", 30_000, services, async () => {
    const { scanners } = scannerListSchema.parse(await get("/api/scanners"));
    return scanners.find(
      ({ name, status, metrics }) => name === SCANNER && status === "active" && metrics !== null,
    );
  });
  say(`   GET ${operatorUrl}/api/scanners says of it:`);
  say(JSON.stringify(shortView(scanner), undefined, 2).replaceAll(/^/gm, "   "));

  stop.throwIfAborted();
  const hosts = site.targets.length === 1 ? "1 host" : `${site.targets.length} hosts`;
  say(`4. A scan of ${site.description}: ${hosts} × ${site.ports.length} ports`);
  const what = ["--targets", site.targets.join(","), "--ports", site.ports.join(",")];
  const how = ["--scanner", SCANNER, "--rate", "5000", "--report", "open,closed,filtered"];
  const scanId = await outputOf([CONTROL, "scan", "start", ...what, ...how, ...asOperator]);
  const scan = await waitFor("the scan", 60_000, services, async () => {
    const view = await get(`/api/scans/${scanId}`);
    const { status, errorMessage: problem } = scanEnd(view);
    if (status === "failed" || status === "cancelled") throw new Error(`the scan ${status}: ${problem}`);
    return status === "completed" ? view : undefined;
  });
  const { results } = resultListSchema.parse(await get(`/api/scans/${scanId}/results?limit=1000`));
  const { lines, exact } = compare(site.truth, results);
  for (const text of lines) say(text);
  const { coverage } = scanEnd(scan);
  say(
    exact
      ? `   Every port was told as it is. Coverage ${(coverage * 100).toFixed(0)} %.`
      : "   This differs from what is really there, see (!).",
  );

  say();
  if (keep) {
    say(`Look around:`);
    say(`   dashboard   ${operatorUrl}/   sign in with the token in ${tokenFile}`);
    say(`   JSON        curl -H "Authorization: Bearer $(cat ${tokenFile})" ${operatorUrl}/api/scanners`);
    say(`   terminal    ${CONTROL} scan show ${scanId} --results ${asOperator.join(" ")}`);
    say(`   logs        ${folder}/*.log`);
    say(`   stop        Ctrl-C here (or: kill ${process.pid})`);
  } else {
    say("Everything is stopped and removed now. To open it again and look around in the dashboard");
    say(`at ${operatorUrl}/, with curl and in the terminal: scripts/quickstart.sh --keep (Ctrl-C stops it)`);
  }
  return exact;
}

interface ScanEnd {
  readonly status: string;
  readonly errorMessage: string | null;
  readonly coverage: number;
}

/** The few fields of a scan that are shown; the whole view is the control plane's business. */
function scanEnd(view: unknown): ScanEnd {
  return scanViewSchema.pick({ status: true, errorMessage: true, coverage: true }).parse(view);
}

function shortView({
  name,
  status,
  version,
  hostname,
  externalIp,
  metrics,
  lastHeartbeatAt,
}: ScannerView): unknown {
  return { name, status, version, hostname, externalIp, lastHeartbeatAt, metrics };
}

/** The last lines of a log that goes away with the folder. */
function showEnd(path: string): void {
  if (!existsSync(path)) return;
  const lines = readFileSync(path, "utf8").trimEnd().split("\n").slice(-10);
  process.stderr.write(`${path}:\n${lines.map((line) => `  ${line}\n`).join("")}`);
}

/** Aborts at the first SIGINT or SIGTERM. Further ones change nothing: the clean-up is under way. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => controller.abort());
  process.on("SIGTERM", () => controller.abort());
  return controller.signal;
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener("abort", () => resolve(undefined));
  });
}

/** Stopping one that has ended already does nothing. */
async function stopAll(services: readonly Service[]): Promise<void> {
  for (const service of services.toReversed()) await service.stop();
}

async function main(): Promise<number> {
  const stop = interruption();
  const folder = mkdtempSync(join(tmpdir(), "portolan-quickstart-"));
  const services: Service[] = [];
  let site: Site | undefined;
  let work: Promise<boolean> | undefined;
  try {
    site = await openSite();
    work = quickstart(site, folder, services, stop);
    const exact = await Promise.race([work, aborted(stop)]);
    if (exact === undefined) return 130;
    if (keep) await aborted(stop);
    return exact ? 0 : 1;
  } catch (error) {
    if (stop.aborted) return 130;
    for (const name of ["control-plane.log", "agent.log"]) showEnd(join(folder, name));
    throw error;
  } finally {
    await stopAll(services);
    // The step under way ends by itself, now that nothing answers it; it may have started something more.
    await work?.catch(() => undefined);
    await stopAll(services);
    await site?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`quickstart: ${errorMessage(error)}\n`);
  process.exit(1);
}
