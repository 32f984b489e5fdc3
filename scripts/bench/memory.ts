/** The most memory that is resident, by the kernel's own mark (VmHWM): it must not grow with the number of targets. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BLOCK, BLOCK_PORTS } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { run } from "../lab/namespaces.ts";
import { writeScattered } from "../lab/scattered.ts";
import { MeasuredProcess } from "./measured-process.ts";
import type { Row } from "./row.ts";
import { AGENT, portolan } from "./tools.ts";

const LIMIT_MIB = 150;
/** Whole, they would take hours. */
const LARGE_SECONDS = 5;
const TIMEOUT_MS = 60_000;

/** As many as a scan takes, and with some of IPv6 among them. */
const SCATTERED = [
  { v4: 1_000_000, v6: 0 },
  { v4: 900_000, v6: 100_000 },
] as const;

const LARGE = [AGENT, "scan", "10.0.0.0/8", "-p", "1-1000", "--quiet"];

export async function memory(): Promise<Row[]> {
  const lab = await createBlockLab();
  try {
    const listing = lab.onScanner([...LARGE, "--dry-run", "--format=binary", "--output=/dev/null"]);
    const full = portolan(lab, BLOCK_PORTS.spec, "--rate=max", "--retries=1");
    const rows = [
      await peakRow(lab, "dry run of 10.0.0.0/8 × 1,000", listing, LARGE_SECONDS * 1_000),
      await peakRow(lab, "scan of 65,536 × 64", full, TIMEOUT_MS),
    ];
    // The gateway takes them all, and nobody answers for most.
    run(["ip", "-n", lab.scanner, "route", "add", "default", "via", BLOCK.gateway]);
    run(["ip", "-n", lab.scanner, "-6", "route", "add", "default", "via", BLOCK.gateway6]);
    const large = lab.onScanner([...LARGE, "--rate=max", `--max-runtime=${LARGE_SECONDS}`]);
    rows.push(await peakRow(lab, "scan of 10.0.0.0/8 × 1,000", large, TIMEOUT_MS));
    return [...rows, ...(await scattered(lab))];
  } finally {
    await lab.close();
  }
}

async function scattered(lab: BlockLab): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-bench-"));
  const rows: Row[] = [];
  try {
    for (const { v4, v6 } of SCATTERED) {
      const path = join(folder, `${v4}-${v6}`);
      writeScattered(path, v4, v6);
      const command = [AGENT, "scan", "--targets-file", path, "-p", "80,443", "--quiet"];
      const what = `${v4 + v6} scattered addresses × 2, ${v6} of them IPv6`;
      const listing = lab.onScanner([...command, "--dry-run", "--output=/dev/null"]);
      rows.push(await peakRow(lab, `dry run of ${what}`, listing, TIMEOUT_MS));
      const sending = lab.onScanner([...command, "--rate=max", "--retries=1"]);
      rows.push(await peakRow(lab, `scan of ${what}`, sending, TIMEOUT_MS));
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function peakRow(
  lab: BlockLab,
  what: string,
  command: readonly string[],
  timeoutMs: number,
): Promise<Row> {
  const { peakBytes, seconds } = await new MeasuredProcess(command, lab.scannerInterface).ended(timeoutMs);
  const mib = peakBytes / 2 ** 20;
  return {
    figure: "memory",
    tool: "portolan",
    value: `${mib.toFixed(0)} MiB`,
    note: `${what}, ${seconds.toFixed(0)} s of it; target ${LIMIT_MIB}`,
    met: mib <= LIMIT_MIB,
  };
}
