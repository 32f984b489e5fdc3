/**
 * Benchmarks of the agent on this machine, printed as one table and written to dist/bench.json.
 * Needs root, and the compiled agent (bun run build). Peers that are installed run in the same minute on the same lab;
 * the machine may be busy with other things, so quote ratios from one run.
 */

import { cpus } from "node:os";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import { permute, newPermutation } from "../agent/engine/targets/permutation.ts";
import { buildSynTemplate, patchSyn, SYN_PACKET_BYTES } from "../agent/engine/packet/syn.ts";
import { LAB_HOSTS } from "./lab/hosts.ts";
import { createLab, type Lab } from "./lab/lab.ts";
import { execute, outputOf } from "./processes/command.ts";

const AGENT = new URL("../dist/portolan-agent", import.meta.url).pathname;

/** Up to here a pace must hold; beyond, a busy machine of two cores decides. */
const PACE_LIMIT_PPS = 10_000;
const PACE_TOLERANCE = 0.01;

interface Row {
  readonly figure: string;
  readonly value: string;
  readonly note: string;
}

/** Probes built per second: permuted index to finished packet, one thread, nothing sent. */
function generatorRow(): Row {
  const probes = 20_000_000;
  const { size, a, b, key0, key1 } = newPermutation(2 ** 24, 1);
  const { packet, ipSum, tcpSum } = buildSynTemplate();
  const view = new DataView(new ArrayBuffer(SYN_PACKET_BYTES));
  new Uint8Array(view.buffer).set(packet);
  const build = (count: number): void => {
    for (let i = 0; i < count; i++) {
      const index = permute(i, size, a, b, key0, key1);
      patchSyn(view, 0, ipSum, tcpSum, 1, 2, 0x0a000001, index, 61_000, 80);
    }
  };
  // Once unmeasured, so that the compiler has done its work.
  build(2_000_000);
  const startMs = performance.now();
  build(probes);
  const millions = probes / (performance.now() - startMs) / 1_000;
  return {
    figure: "generator",
    value: `${millions.toFixed(1)} M probes/s`,
    note: "one thread, nothing sent",
  };
}

/**
 * Packets counted at the interface in the middle of a scan's first pass, against what was asked.
 * @param seconds short enough that the pass, 327,675 probes to the lab's hosts, does not end meanwhile
 */
async function paceRow(lab: Lab, ratePps: number, seconds: number): Promise<Row> {
  const counter = `/sys/class/net/${lab.scannerInterface}/statistics/tx_packets`;
  const hosts = LAB_HOSTS.map(({ address }) => address).join(",");
  const child = Bun.spawn(
    lab.onScanner([AGENT, "scan", hosts, "--ports=-", `--rate=${ratePps}`, "--retries=0", "--quiet"]),
    { stdout: "ignore", stderr: "inherit" },
  );
  const sent = async (): Promise<number> => Number(await outputOf(lab.onScanner(["cat", counter])));
  const quiet = await sent();
  // Past the address resolution, which sends a few packets of its own.
  while ((await sent()) < quiet + 20) await Bun.sleep(20);
  const [from, startMs] = [await sent(), performance.now()];
  await Bun.sleep(seconds * 1_000);
  const [to, endMs] = [await sent(), performance.now()];
  child.kill("SIGINT");
  await child.exited;
  const measured = ((to - from) * 1_000) / (endMs - startMs);
  const error = ((measured - ratePps) / ratePps) * 100;
  if (ratePps <= PACE_LIMIT_PPS && Math.abs(error) > PACE_TOLERANCE * 100) process.exitCode = 1;
  return {
    figure: `rate ${ratePps}/s`,
    value: `${measured.toFixed(1)}/s`,
    note: `${error >= 0 ? "+" : ""}${error.toFixed(2)} % over ${seconds} s, counted at the interface`,
  };
}

/** The lab's /24 with 1,000 ports, start to end, with whatever waiting the tool does by default. */
async function labScanRows(lab: Lab): Promise<Row[]> {
  const rows: Row[] = [];
  const own = await execute(
    lab.onScanner([AGENT, "scan", "10.213.7.0/24", "--ports=1-1000", "--rate=20000", "--quiet"]),
  );
  const summary = scanSummarySchema.parse(JSON.parse(own.stdout.trim().split("\n").at(-1) ?? ""));
  rows.push({
    figure: "scan /24 × 1,000 ports",
    value: `${(summary.durationMs / 1_000).toFixed(1)} s`,
    note: `portolan at 20,000/s: ${summary.open} open, coverage ${summary.coverage * 100} %`,
  });
  if (Bun.which("nmap") !== null) {
    const startMs = performance.now();
    const nmap = await execute(
      lab.onScanner(["nmap", "-n", "-sS", "--min-rate=20000", "-p1-1000", "-oG", "-", "10.213.7.0/24"]),
    );
    const open = nmap.stdout.match(/\/open\//g)?.length ?? 0;
    rows.push({
      figure: "scan /24 × 1,000 ports",
      value: `${((performance.now() - startMs) / 1_000).toFixed(1)} s`,
      note: `nmap --min-rate 20000: ${open} open`,
    });
  }
  return rows;
}

const PACES = [
  { ratePps: 10, seconds: 20 },
  { ratePps: 1_000, seconds: 10 },
  { ratePps: 10_000, seconds: 10 },
  { ratePps: 100_000, seconds: 2 },
] as const;

const rows: Row[] = [generatorRow()];
const lab = await createLab();
try {
  // The kernel's own IPv6 chatter would be counted too.
  const quiet = `/proc/sys/net/ipv6/conf/${lab.scannerInterface}/disable_ipv6`;
  await execute(lab.onScanner(["sh", "-c", `echo 1 >${quiet}`]));
  for (const { ratePps, seconds } of PACES) rows.push(await paceRow(lab, ratePps, seconds));
  rows.push(...(await labScanRows(lab)));
} finally {
  await lab.close();
}

const machine = `${cpus().length} × ${cpus()[0]?.model ?? "?"}, Linux ${await outputOf(["uname", "-r"])}, Bun ${Bun.version}`;
const width = Math.max(...rows.map(({ figure }) => figure.length));
const valueWidth = Math.max(...rows.map(({ value }) => value.length));
process.stdout.write(`${machine}\n`);
for (const { figure, value, note } of rows) {
  process.stdout.write(`${figure.padEnd(width)}  ${value.padStart(valueWidth)}  ${note}\n`);
}
await Bun.write(
  new URL("../dist/bench.json", import.meta.url),
  `${JSON.stringify({ machine, rows }, undefined, 2)}\n`,
);
