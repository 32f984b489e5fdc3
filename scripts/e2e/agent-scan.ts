/** Runs the compiled agent's `scan` on a lab's host and reads what it says. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import {
  type HostResult,
  hostResultSchema,
  type PortResult,
  portResultSchema,
  type ScanSummary,
  scanSummarySchema,
} from "#shared/protocol/job.ts";
import { execute, type Outcome } from "../processes/command.ts";
import { AGENT } from "../testing/programs.ts";

/** Any lab: a host to run the scanner on. */
export interface ScannerHost {
  onScanner(command: readonly string[]): string[];
}

export interface Report {
  readonly ports: readonly PortResult[];
  readonly hosts: readonly HostResult[];
  readonly summary: ScanSummary;
}

export interface ScanOutcome extends Outcome, Report {}

/**
 * @param words of the command line after `scan`; must leave the format as it is, NDJSON
 * @param as put before the command, to run it as somebody else
 */
export async function scanOn(
  host: ScannerHost,
  words: string,
  as: readonly string[] = [],
): Promise<ScanOutcome> {
  using folder = temporaryFolder();
  // A scan that is cut short leaves a file where it runs.
  const outcome = await execute(host.onScanner([...as, ...scanCommand(words)]), { cwd: folder.path });
  try {
    return { ...outcome, ...readReport(outcome.stdout) };
  } catch (cause) {
    throw new Error(`scan ${words}: exit code ${outcome.exitCode}: ${outcome.stderr}`, { cause });
  }
}

export function scanCommand(words: string): string[] {
  return [AGENT, "scan", ...words.split(" ")];
}

const lineSchema = z.discriminatedUnion("type", [
  portResultSchema.extend({ type: z.literal("port") }),
  hostResultSchema.extend({ type: z.literal("host") }),
  scanSummarySchema.extend({ type: z.literal("summary") }),
]);

/** @throws Error where a line is not as the contract says, or no summary stands at the end */
export function readReport(ndjson: string): Report {
  const ports: PortResult[] = [];
  const hosts: HostResult[] = [];
  let summary: ScanSummary | undefined;
  for (const text of ndjson.split("\n")) {
    if (text === "") continue;
    if (summary !== undefined) throw new Error("something stands after the summary");
    const line = lineSchema.parse(JSON.parse(text));
    if (line.type === "port") ports.push(line);
    else if (line.type === "host") hosts.push(line);
    else summary = line;
  }
  if (summary === undefined) throw new Error("the summary is missing");
  return { ports, hosts, summary };
}

/** `10.213.7.10 22/tcp open`, sorted; doubles stay. */
export function portLines(ports: readonly PortResult[]): string[] {
  return ports
    .map(({ address, port, protocol, state }) => `${address} ${port}/${protocol} ${state}`)
    .toSorted();
}

export interface TemporaryFolder extends Disposable {
  readonly path: string;
}

export function temporaryFolder(): TemporaryFolder {
  const path = mkdtempSync(join(tmpdir(), "portolan-scan-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
