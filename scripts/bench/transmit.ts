/**
 * Sending alone: frames go to a hardware address that nobody has, so the other side drops them where it would look at
 * them first. On a pair of veth interfaces the kernel does that on the sender's processor, before the sender's next
 * packet, so two fifths of what is measured is receiving. Therefore a second figure has the other side receive in a
 * thread of its own, as another machine would.
 * Every program in turn, several rounds, the middle value of each; all are measured the same way, at the interface's
 * counters while they run. The bare ring, which does no work of its own, shows the most that one sender could reach.
 */

import { errorMessage } from "#shared/errors.ts";
import { BLOCK } from "../lab/block.ts";
import { createBlockLab, type BlockLab } from "../lab/block-lab.ts";
import { run } from "../lab/namespaces.ts";
import { MeasuredProcess, type Window } from "./measured-process.ts";
import { median, type Row } from "./row.ts";
import { hasPeer, masscan, portolan, zmap } from "./tools.ts";

const ROUNDS = 3;
const RUN_IN_MS = 700;
const WINDOW_MS = 2_000;
/** More probes than anybody sends in the time. */
const PORTS = "1-1000";

/** Times the peer's rate, of the fastest link. */
const TIMES_MASSCAN = 2.5;
const TIMES_ZMAP = 3;
/** Times one sender, of two on two queues. */
const TIMES_ONE_SENDER = 1.9;
const ONE_SENDER = "portolan xdp";
const TWO_SENDERS = "portolan xdp, 2 senders";

interface Contender {
  readonly tool: string;
  readonly command: readonly string[];
}

const NOBODYS_MAC = "02:00:00:00:00:99";
const BARE_RING = "bare ring";
/** Two processors: a second sender would take the receiver's. */
const APART_TOOLS: ReadonlySet<string> = new Set([ONE_SENDER, BARE_RING, "masscan", "zmap"]);
const BARE_RING_PROGRAM = new URL("bare-ring-program.ts", import.meta.url).pathname;

const PLAIN = "transmit only";
const APART = "transmit only, receiver apart";

export async function transmit(): Promise<Row[]> {
  const rows = await transmitOn(PLAIN, () => undefined);
  if (Bun.which("ethtool") === null) return rows;
  return [...rows, ...(await transmitOn(APART, receiveApart))];
}

/**
 * The other side polls in a kernel thread. Only packets that may still be joined into larger ones go there, and the kernel
 * takes those of an interface that could have sent larger ones itself for finished.
 */
function receiveApart({ scanner, target, scannerInterface }: BlockLab): void {
  run(["ip", "netns", "exec", scanner, "ethtool", "-K", scannerInterface, "tso", "off", "gso", "off"]);
  run(["ip", "netns", "exec", target, "ethtool", "-K", scannerInterface, "gro", "on"]);
  run(["ip", "netns", "exec", target, "sh", "-c", `echo 1 > /sys/class/net/${scannerInterface}/threaded`]);
}

async function transmitOn(figure: string, prepare: (lab: BlockLab) => void): Promise<Row[]> {
  const lab = await createBlockLab({ queues: 2 });
  try {
    // For those who let the kernel find the next hop.
    const neighbour = [BLOCK.gateway, "lladdr", NOBODYS_MAC, "nud", "permanent", "dev", lab.scannerInterface];
    run(["ip", "-n", lab.scanner, "neigh", "replace", ...neighbour]);
    prepare(lab);
    const all = contenders({ ...lab, gatewayMac: NOBODYS_MAC });
    const tools = figure === PLAIN ? all : all.filter(({ tool }) => APART_TOOLS.has(tool));
    const windows = await measure(lab, tools);
    return [...windows].map(([tool, of]) => rowOf(figure, tool, of, windows));
  } finally {
    await lab.close();
  }
}

function rowOf(
  figure: string,
  tool: string,
  of: readonly Window[],
  all: ReadonlyMap<string, readonly Window[]>,
): Row {
  const isOwn = tool.startsWith("portolan") || tool === BARE_RING;
  const rate = median(of.map((window) => window.packetsPerSecond));
  const userNs = median(of.map((window) => (window.userShare * 1e9) / window.packetsPerSecond));
  const rounds = of.map((window) => (window.packetsPerSecond / 1e6).toFixed(2)).join(" ");
  const row: Row = {
    figure,
    tool,
    value: `${(rate / 1e6).toFixed(2)} Mpps`,
    note: `user CPU ${userNs.toFixed(0)} ns a packet; rounds ${rounds}`,
  };
  if (!isOwn) return row;
  const [masscanTimes, zmapTimes, oneTimes] = ["masscan", "zmap", ONE_SENDER].map((other) =>
    timesFaster(of, all.get(other)),
  );
  const bareTimes = timesFaster(of, all.get(BARE_RING));
  const notes = [row.note];
  if (tool === ONE_SENDER && bareTimes !== undefined)
    notes.push(`${(100 * bareTimes).toFixed(0)} % of the bare ring`);
  if (masscanTimes !== undefined) notes.push(`${masscanTimes.toFixed(1)} × masscan`);
  if (zmapTimes !== undefined) notes.push(`${zmapTimes.toFixed(1)} × zmap`);
  if (tool === ONE_SENDER) {
    const met = (masscanTimes ?? Infinity) >= TIMES_MASSCAN && (zmapTimes ?? Infinity) >= TIMES_ZMAP;
    return { ...row, note: `${notes.join("; ")}; target ${TIMES_MASSCAN} and ${TIMES_ZMAP}`, met };
  }
  if (tool === TWO_SENDERS && oneTimes !== undefined) {
    notes.push(`${oneTimes.toFixed(2)} × one sender; target ${TIMES_ONE_SENDER}`);
    return { ...row, note: notes.join("; "), met: oneTimes >= TIMES_ONE_SENDER };
  }
  return { ...row, note: notes.join("; ") };
}

function contenders(lab: BlockLab): Contender[] {
  const sending = (link: string, senders: number): string[] =>
    portolan(
      lab,
      PORTS,
      "--rate=max",
      "--retries=0",
      `--link=${link}`,
      `--senders=${senders}`,
      `--gateway-mac=${lab.gatewayMac}`,
    );
  const own: Contender[] = [
    { tool: ONE_SENDER, command: sending("xdp", 1) },
    {
      tool: BARE_RING,
      command: lab.onScanner([process.execPath, BARE_RING_PROGRAM, lab.scannerInterface, NOBODYS_MAC]),
    },
    { tool: TWO_SENDERS, command: sending("xdp", 2) },
    { tool: "portolan packet", command: sending("packet", 1) },
    { tool: "portolan raw", command: sending("raw", 1) },
  ];
  const peers: Contender[] = [];
  if (hasPeer("masscan")) peers.push({ tool: "masscan", command: masscan(lab, PORTS, "--wait", "0") });
  if (hasPeer("zmap")) peers.push({ tool: "zmap", command: zmap(lab, "10.0.0.0/8", 80, "-c", "1") });
  return [...own, ...peers];
}

/** Interleaved, so that a busy minute of the machine meets all of them. */
async function measure(lab: BlockLab, tools: readonly Contender[]): Promise<Map<string, Window[]>> {
  const windows = new Map<string, Window[]>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const { tool, command } of tools) {
      const process_ = new MeasuredProcess(command, lab.scannerInterface);
      try {
        const window = await process_.window(RUN_IN_MS, WINDOW_MS);
        windows.set(tool, [...(windows.get(tool) ?? []), window]);
      } catch (error) {
        throw new Error(`${tool} could not be measured: ${errorMessage(error)}`, { cause: error });
      } finally {
        await process_.kill();
      }
    }
  }
  return windows;
}

/** Times the peer's rate, round by round: a busy round is busy for both. */
function timesFaster(own: readonly Window[], theirs: readonly Window[] | undefined): number | undefined {
  if (theirs === undefined) return undefined;
  return median(own.map((window, round) => window.packetsPerSecond / (theirs[round]?.packetsPerSecond ?? 1)));
}
