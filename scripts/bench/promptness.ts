/** How soon a scan begins, how soon its first result is seen, and what a slow scan costs the host it runs on. */

import { createBlockLab, type BlockLab } from "../lab/block-lab.ts";
import { OPEN_PORT } from "../lab/block.ts";
import { setKernel } from "../lab/namespaces.ts";
import { MeasuredProcess } from "./measured-process.ts";
import { median, type Row } from "./row.ts";
import { portolan } from "./tools.ts";

const ROUNDS = 5;
const RESULT_LIMIT_MS = 300;
const SLOW_PPS = 100;
const SLOW_SECONDS = 20;

export async function promptness(): Promise<Row[]> {
  const lab = await createBlockLab();
  try {
    // Nothing but probes and answers is to be seen at the interface.
    setKernel(lab.scanner, `net/ipv6/conf/${lab.scannerInterface}/disable_ipv6`, 1);
    return [...(await firstRows(lab)), await slowRow(lab)];
  } finally {
    await lab.close();
  }
}

async function firstRows(lab: BlockLab): Promise<Row[]> {
  const [probes, results]: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const { probeMs, resultMs } = await firsts(lab);
    probes.push(probeMs);
    results.push(resultMs);
  }
  const resultMs = median(results);
  return [
    {
      figure: "start to first packet",
      tool: "portolan",
      value: `${median(probes).toFixed(0)} ms`,
      note: `from the start of the program, gateway known; middle of ${ROUNDS}`,
    },
    {
      figure: "first answer to first result",
      tool: "portolan",
      value: `${resultMs.toFixed(0)} ms`,
      note: `seen by the reader of a pipe; middle of ${ROUNDS}; target ${RESULT_LIMIT_MS}`,
      met: resultMs <= RESULT_LIMIT_MS,
    },
  ];
}

async function firsts(lab: BlockLab): Promise<{ readonly probeMs: number; readonly resultMs: number }> {
  const flags = ["--rate=100", "--format=ndjson", `--gateway-mac=${lab.gatewayMac}`];
  const process_ = new MeasuredProcess(portolan(lab, String(OPEN_PORT), ...flags), lab.scannerInterface);
  try {
    const probe = await process_.when((now, first) => now.txPackets > first.txPackets);
    const answer = await process_.when((now) => now.rxPackets >= probe.rxPackets && now.rxPackets > 0);
    const result = await process_.firstOutput;
    return { probeMs: probe.atMs - process_.startedMs, resultMs: Math.max(0, result - answer.atMs) };
  } finally {
    await process_.kill();
  }
}

async function slowRow(lab: BlockLab): Promise<Row> {
  const command = portolan(lab, "-", `--rate=${SLOW_PPS}`, "--retries=0");
  const process_ = new MeasuredProcess(command, lab.scannerInterface);
  try {
    const { userShare, systemShare } = await process_.window(500, SLOW_SECONDS * 1_000);
    return {
      figure: `CPU of a scan at ${SLOW_PPS}/s`,
      tool: "portolan",
      value: `${((userShare + systemShare) * 100).toFixed(1)} %`,
      note: `of one processor over ${SLOW_SECONDS} s: ${(userShare * 100).toFixed(1)} user, ${(systemShare * 100).toFixed(1)} system`,
    };
  } finally {
    await process_.kill();
  }
}
