/** The most memory that is resident, by the kernel's own mark (VmHWM): it must not grow with the number of targets. */

import { BLOCK, BLOCK_PORTS } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { run } from "../lab/namespaces.ts";
import { MeasuredProcess } from "./measured-process.ts";
import type { Row } from "./row.ts";
import { AGENT, portolan } from "./tools.ts";

const LIMIT_MIB = 150;
/** Whole, they would take hours. */
const LARGE_SECONDS = 5;
const TIMEOUT_MS = 60_000;

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
    const large = lab.onScanner([...LARGE, "--rate=max", `--max-runtime=${LARGE_SECONDS}`]);
    return [...rows, await peakRow(lab, "scan of 10.0.0.0/8 × 1,000", large, TIMEOUT_MS)];
  } finally {
    await lab.close();
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
