/** `scan start`: starts a scan and prints its id; with `--wait`, follows it to its end and prints what was found. */

import { type Command, Option } from "commander";
import type { Clock } from "#shared/clock.ts";
import { portStateSchema } from "#shared/protocol/fields.ts";
import { MAX_RATE_PPS, MAX_RETRIES } from "#shared/protocol/limits.ts";
import { type ScanView, scanViewSchema } from "#shared/protocol/operator.ts";
import type { ApiClient } from "./api-client.ts";
import { clientCommand, type ClientOptions, connect } from "./client-command.ts";
import type { CliContext } from "./context.ts";
import { ScanNotCompleted } from "./errors.ts";
import { findScanners } from "./find-scanner.ts";
import { collectChoices, collectList, wholeNumber } from "./options.ts";
import { describeScan, fetchResults, formatResults } from "./scan-output.ts";
import type { TypedNames } from "./typed-names.ts";

const POLL_INTERVAL_MS = 500;

const TYPED_NAMES: TypedNames = {
  name: "--name",
  targets: "--targets",
  exclude: "--exclude",
  ports: "--ports",
  scannerIds: "--scanner",
};

interface StartOptions extends ClientOptions {
  readonly scanner: string[];
  readonly targets: string[];
  readonly ports: string;
  readonly exclude?: string[];
  readonly name?: string;
  readonly rate?: number;
  readonly report?: string[];
  readonly engine?: string;
  readonly retries?: number;
  readonly portTimeout?: number;
  readonly timeout?: number;
  readonly wait?: boolean;
}

export function scanStartCommand(context: CliContext, clock: Clock): Command {
  return clientCommand("start", "scan targets from one or more scanners")
    .requiredOption("--scanner <name>", "scanner to scan from; may be repeated", collectList)
    .requiredOption("--targets <list>", "addresses, networks, ranges; may be repeated", collectList)
    .requiredOption("--ports <list>", "ports like 22,80-443,!81")
    .option("--exclude <list>", "addresses to leave out", collectList)
    .option("--name <text>", "what to call the scan")
    .option("--rate <n>", "probes per second, 0 = unlimited", wholeNumber(0, MAX_RATE_PPS))
    .option(
      "--report <states>",
      `states to report: ${portStateSchema.options.join(",")}`,
      collectChoices(portStateSchema.options),
    )
    .addOption(new Option("--engine <name>", "how to probe").choices(["syn", "connect"]))
    .option("--retries <n>", "probes after the first", wholeNumber(0, MAX_RETRIES))
    .option("--port-timeout <ms>", "how long an answer may take", wholeNumber(50, 60_000))
    .option("--timeout <seconds>", "how long the scan may take", wholeNumber(1, 604_800))
    .option("--wait", "wait for the end and print the results; exit 0 only when completed")
    .action(async (options: StartOptions) => {
      const client = await connect(context, options);
      const scanners = await findScanners(client, options.scanner);
      const request = {
        name: options.name,
        scannerIds: scanners.map(({ id }) => id),
        targets: options.targets,
        exclude: options.exclude,
        ports: options.ports,
        maxProbesPerSecond: options.rate,
        reportStates: options.report,
        engine: options.engine,
        retries: options.retries,
        portTimeoutMs: options.portTimeout,
        scanTimeoutSeconds: options.timeout,
      };
      const scan = await client.post("/api/scans", scanViewSchema, request, TYPED_NAMES);
      if (!options.wait) {
        context.print(String(scan.id));
        return;
      }
      context.say(`scan ${scan.id} was started`);
      const ended = await waitForEnd(client, scan, clock);
      for (const line of formatResults(await fetchResults(client, ended.id), ended)) context.print(line);
      for (const line of describeScan(ended)) context.say(line);
      if (ended.status !== "completed") throw new ScanNotCompleted(ended);
    });
}

async function waitForEnd(client: ApiClient, started: ScanView, clock: Clock): Promise<ScanView> {
  let scan = started;
  while (scan.endedAt === null) {
    await clock.sleep(POLL_INTERVAL_MS);
    scan = await client.get(`/api/scans/${scan.id}`, scanViewSchema);
  }
  return scan;
}
