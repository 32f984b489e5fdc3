/** Whether the rate that is asked for is the rate that goes out: packets counted at the interface in mid-scan. */

import { createBlockLab, type BlockLab } from "../lab/block-lab.ts";
import { setKernel } from "../lab/namespaces.ts";
import { MeasuredProcess } from "./measured-process.ts";
import type { Row } from "./row.ts";
import { portolan } from "./tools.ts";

const TOLERANCE_PERCENT = 1;
const RUN_IN_MS = 300;

/** Long enough that one packet more or less is no error. */
const PACES = [
  { ratePps: 1, seconds: 20 },
  { ratePps: 10, seconds: 20 },
  { ratePps: 1_000, seconds: 5 },
  { ratePps: 10_000, seconds: 5 },
  { ratePps: 100_000, seconds: 3 },
  { ratePps: 500_000, seconds: 3 },
] as const;

/** Up and down while it runs, as a control plane does it. */
const CHANGES = [
  { fromPps: 10_000, toPps: 100_000 },
  { fromPps: 100_000, toPps: 1_000 },
] as const;
const CHANGE_SECONDS = 3;
/** From the change to the measurement: a change is to be there at once. */
const CHANGE_RUN_IN_MS = 50;

export async function pacing(): Promise<Row[]> {
  const lab = await createBlockLab({ faults: { sink: true } });
  try {
    // The kernel's own IPv6 chatter would be counted too.
    setKernel(lab.scanner, `net/ipv6/conf/${lab.scannerInterface}/disable_ipv6`, 1);
    const rows: Row[] = [];
    for (const { ratePps, seconds } of PACES) rows.push(await paceRow(lab, ratePps, seconds));
    for (const { fromPps, toPps } of CHANGES) rows.push(await changeRow(lab, fromPps, toPps));
    return rows;
  } finally {
    await lab.close();
  }
}

async function paceRow(lab: BlockLab, ratePps: number, seconds: number): Promise<Row> {
  const command = portolan(lab, "-", `--rate=${ratePps}`, "--retries=0", `--gateway-mac=${lab.gatewayMac}`);
  const process_ = new MeasuredProcess(command, lab.scannerInterface);
  try {
    const { packetsPerSecond } = await process_.window(RUN_IN_MS, seconds * 1_000);
    return errorRow(`rate ${ratePps.toLocaleString("en")}/s`, ratePps, packetsPerSecond, seconds);
  } finally {
    await process_.kill();
  }
}

async function changeRow(lab: BlockLab, fromPps: number, toPps: number): Promise<Row> {
  const program = new URL("live-rate-program.ts", import.meta.url).pathname;
  const words = [process.execPath, program, String(fromPps), String(toPps), lab.gatewayMac];
  const process_ = new MeasuredProcess(lab.onScanner(words), lab.scannerInterface);
  try {
    await process_.window(RUN_IN_MS, 500);
    process_.signal("SIGUSR2");
    const { packetsPerSecond } = await process_.window(CHANGE_RUN_IN_MS, CHANGE_SECONDS * 1_000);
    const figure = `rate changed ${fromPps.toLocaleString("en")} → ${toPps.toLocaleString("en")}/s`;
    return errorRow(figure, toPps, packetsPerSecond, CHANGE_SECONDS);
  } finally {
    await process_.kill();
  }
}

function errorRow(figure: string, ratePps: number, packetsPerSecond: number, seconds: number): Row {
  const errorPercent = ((packetsPerSecond - ratePps) / ratePps) * 100;
  return {
    figure,
    tool: "portolan",
    value: `${errorPercent >= 0 ? "+" : ""}${errorPercent.toFixed(2)} %`,
    note: `${packetsPerSecond.toFixed(1)}/s over ${seconds} s; target ±${TOLERANCE_PERCENT} %`,
    met: Math.abs(errorPercent) <= TOLERANCE_PERCENT,
  };
}
