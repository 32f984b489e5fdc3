/** The lab's /24 with 1,000 ports, start to end, with whatever each tool asks again and waits for by default. */

import { LAB_HOSTS, LAB_LINK } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { MeasuredProcess } from "./measured-process.ts";
import type { Row } from "./row.ts";
import { AGENT, hasPeer } from "./tools.ts";

const RATE_PPS = "20000";
const PORTS = "1-1000";
const TIMEOUT_MS = 120_000;

export async function labScan(): Promise<Row[]> {
  const lab = await createLab();
  try {
    const own = [AGENT, "scan", LAB_LINK.network, "-p", PORTS, "--rate", RATE_PPS, "--quiet"];
    const rows = [await scanRow(lab, "portolan", [...own, "--format=grepable"])];
    if (hasPeer("nmap")) {
      const nmap = ["nmap", "-n", "-sS", "--min-rate", RATE_PPS, "-p", PORTS, "-oG", "-", LAB_LINK.network];
      rows.push(await scanRow(lab, "nmap", nmap));
    }
    return rows;
  } finally {
    await lab.close();
  }
}

async function scanRow(lab: Lab, tool: string, command: readonly string[]): Promise<Row> {
  const process_ = new MeasuredProcess(lab.onScanner(command), lab.scannerInterface);
  const { seconds, userSeconds, output } = await process_.ended(TIMEOUT_MS);
  const open = output.match(/\/open\/tcp\//g)?.length ?? 0;
  const truth = LAB_HOSTS.reduce((total, host) => total + host.open.length, 0);
  return {
    figure: "scan of a /24 × 1,000",
    tool,
    value: `${seconds.toFixed(1)} s`,
    note: `${open} of ${truth} open ports, user CPU ${userSeconds.toFixed(2)} s, at ${RATE_PPS}/s`,
    met: tool === "portolan" ? open === truth : undefined,
  };
}
