/**
 * 65,536 addresses × 64 ports, one of them open on every address, probed once as fast as each program can. The kernel
 * answers on the same processors, so it is a test of who loses answers under load.
 */

import { BLOCK, BLOCK_PORTS, OPEN_PORT } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { type Finished, MeasuredProcess } from "./measured-process.ts";
import type { Row } from "./row.ts";
import { hasPeer, masscan, portolan, zmap } from "./tools.ts";

const FIGURE = "full scan 65,536 × 64";
const PORTOLAN_RUNS = 3;
const USER_SECONDS = 0.5;
/** How long each waits for last answers. */
const COOLDOWN_S = 1;
const TIMEOUT_MS = 120_000;
/** zmap scans one port a run. These stand for the 64; time is scaled, what is found is not. */
const ZMAP_PORTS = [OPEN_PORT - 2, OPEN_PORT - 1, OPEN_PORT, OPEN_PORT + 1];

export async function fullScan(): Promise<Row[]> {
  const lab = await createBlockLab();
  try {
    const peers: { readonly row: Row; readonly seconds: number }[] = [];
    if (hasPeer("masscan")) peers.push(await masscanRow(lab));
    if (hasPeer("zmap")) peers.push(await zmapRow(lab));
    const fastestPeer = Math.min(...peers.map(({ seconds }) => seconds), Infinity);
    const own: Row[] = [];
    for (let i = 0; i < PORTOLAN_RUNS; i++) own.push(await portolanRow(lab, fastestPeer));
    return [...own, ...peers.map(({ row }) => row)];
  } finally {
    await lab.close();
  }
}

async function portolanRow(lab: BlockLab, fastestPeer: number): Promise<Row> {
  const flags = ["--rate=max", "--retries=0", `--cooldown=${COOLDOWN_S}`, "--format=ndjson"];
  const run = await finished(lab, portolan(lab, BLOCK_PORTS.spec, ...flags));
  const found = run.output.split("\n").flatMap((line) => {
    const match = /"address":"([^"]+)".*"port":(\d+).*"state":"open"/.exec(line);
    return match === null ? [] : [`${match[1]} ${match[2]}`];
  });
  const row = rowOf(lab, "portolan", run, found, run.seconds, run.userSeconds);
  const complete = new Set(found).size === BLOCK.addresses && found.length === BLOCK.addresses;
  return { ...row, met: complete && run.userSeconds <= USER_SECONDS && run.seconds <= fastestPeer };
}

async function masscanRow(lab: BlockLab): Promise<{ row: Row; seconds: number }> {
  const run = await finished(lab, masscan(lab, BLOCK_PORTS.spec, "--wait", String(COOLDOWN_S), "-oL", "-"));
  const found = run.output.split("\n").flatMap((line) => {
    const match = /^open tcp (\d+) (\S+)/.exec(line);
    return match === null ? [] : [`${match[2]} ${match[1]}`];
  });
  // It ends only when a packet happens to come in after its wait; that is not held against it.
  const seconds = Math.min(run.seconds, run.lastAnswerSeconds + COOLDOWN_S);
  const row = rowOf(lab, "masscan", run, found, seconds, run.userSeconds);
  return { row: { ...row, note: `${row.note}; ended by itself after ${run.seconds.toFixed(1)} s` }, seconds };
}

async function zmapRow(lab: BlockLab): Promise<{ row: Row; seconds: number }> {
  const runs: Finished[] = [];
  for (const port of ZMAP_PORTS) {
    runs.push(await finished(lab, zmap(lab, BLOCK.network, port, "-c", String(COOLDOWN_S))));
  }
  const scale = BLOCK_PORTS.count / runs.length;
  // Its waits and starts are no part of sending; with one run for all ports there would be one of each.
  const waits = COOLDOWN_S * runs.length;
  const seconds = (sum(runs, (run) => run.seconds) - waits) * scale + COOLDOWN_S;
  const found = runs.flatMap(({ output }) => output.split("\n").filter((line) => line !== ""));
  const last = runs.at(-1);
  if (last === undefined) throw new Error("zmap was not run");
  const row = rowOf(lab, "zmap", last, found, seconds, sum(runs, (run) => run.userSeconds) * scale);
  return {
    row: { ...row, note: `${row.note}; scaled up from one run for each of ${runs.length} ports` },
    seconds,
  };
}

async function finished(lab: BlockLab, command: readonly string[]): Promise<Finished> {
  lab.setFaults({});
  return await new MeasuredProcess(command, lab.scannerInterface).ended(TIMEOUT_MS);
}

function rowOf(
  lab: BlockLab,
  tool: string,
  { peakBytes }: Finished,
  found: readonly string[],
  seconds: number,
  userSeconds: number,
): Row {
  const distinct = new Set(found).size;
  const parts = [
    `${distinct.toLocaleString("en")} of ${BLOCK.addresses.toLocaleString("en")} open ports`,
    `${found.length - distinct} twice`,
    `user CPU ${userSeconds.toFixed(2)} s`,
    `${(peakBytes / 2 ** 20).toFixed(0)} MiB`,
    `${lab.counted("syns").toLocaleString("en")} SYNs arrived`,
  ];
  return { figure: FIGURE, tool, value: `${seconds.toFixed(1)} s`, note: parts.join(", ") };
}

function sum(runs: readonly Finished[], of: (run: Finished) => number): number {
  return runs.reduce((total, run) => total + of(run), 0);
}
