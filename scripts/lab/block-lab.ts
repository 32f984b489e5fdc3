/**
 * A network of 65,536 hosts of each family behind a gateway, in two namespaces: for figures, and for faults that only
 * many probes can show. One kernel answers for all of them, and is set so that it answers every probe.
 *
 *   scanner 10.98.0.1 ──lab0── 10.98.0.2 gateway and block 10.99.0.0/16
 */

import { startAnswering, stopAnswering } from "./answering.ts";
import { BLOCK, type BlockCounter, type BlockFaults, blockRuleset } from "./block.ts";
import {
  answerEveryError,
  inNamespace,
  namespaceProblem,
  removeAbandoned,
  run,
  setKernel,
} from "./namespaces.ts";

export interface BlockLabOptions {
  /** Transmit and receive queues of the scanner's interface; 1 by default. */
  readonly queues?: number;
  readonly faults?: BlockFaults;
}

export interface BlockLab {
  readonly scanner: string;
  readonly target: string;
  readonly scannerInterface: string;
  /** Hardware addresses as text: the scanner's own, and the gateway's. */
  readonly scannerMac: string;
  readonly gatewayMac: string;
  /** The command line that runs `command` on the scanner's host. */
  onScanner(command: readonly string[]): string[];
  /** Replaces the faults and begins to count anew. */
  setFaults(faults: BlockFaults): void;
  /** Packets counted at the block since its faults were set. */
  counted(counter: BlockCounter): number;
  close(): Promise<void>;
}

const INTERFACE = "lab0";
let labCount = 0;

/** @throws Error saying what is missing where namespaces cannot be made */
export async function createBlockLab(options: BlockLabOptions = {}): Promise<BlockLab> {
  const problem = namespaceProblem();
  if (problem !== undefined) throw new Error(problem);
  removeAbandoned();

  const id = `ptl-${process.pid}-block${labCount++}`;
  const [scanner, target] = [`${id}-scan`, `${id}-target`];
  const setFaults = (faults: BlockFaults): void => {
    run(inNamespace(target, ["nft", "-f", "-"]), blockRuleset(INTERFACE, faults));
  };
  try {
    for (const name of [scanner, target]) {
      run(["ip", "netns", "add", name]);
      run(["ip", "-n", name, "link", "set", "lo", "up"]);
    }
    makeLink(scanner, target, options.queues ?? 1);
    makeBlock(scanner, target);
    answerEveryProbe(target);
    answerEveryError(target);
    setFaults(options.faults ?? {});
    const listener = await startAnswering(target, "block-listener.ts");
    return {
      scanner,
      target,
      scannerInterface: INTERFACE,
      scannerMac: macOf(scanner),
      gatewayMac: macOf(target),
      onScanner: (command) => inNamespace(scanner, command),
      setFaults,
      counted: (counter) => readCounter(target, counter),
      async close() {
        await stopAnswering(listener);
        run(["ip", "netns", "del", scanner]);
        run(["ip", "netns", "del", target]);
      },
    };
  } catch (error) {
    for (const name of [scanner, target]) Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    throw error;
  }
}

function makeLink(scanner: string, target: string, queues: number): void {
  const several = ["numtxqueues", String(queues), "numrxqueues", String(queues)];
  const here = ["ip", "-n", scanner, "link", "add", INTERFACE, ...several, "type", "veth"];
  run([...here, "peer", "name", INTERFACE, ...several, "netns", target]);
  for (const [name, v4, v6] of [
    [scanner, BLOCK.scanner, BLOCK.scanner6],
    [target, BLOCK.gateway, BLOCK.gateway6],
  ] as const) {
    run(["ip", "-n", name, "address", "add", `${v4}/30`, "dev", INTERFACE]);
    run(["ip", "-n", name, "address", "add", `${v6}/64`, "dev", INTERFACE, "nodad"]);
    run(["ip", "-n", name, "link", "set", INTERFACE, "up"]);
  }
}

function makeBlock(scanner: string, target: string): void {
  run(["ip", "-n", scanner, "route", "add", BLOCK.network, "via", BLOCK.gateway]);
  run(["ip", "-n", scanner, "-6", "route", "add", BLOCK.network6, "via", BLOCK.gateway6]);
  run(["ip", "-n", target, "route", "add", "local", BLOCK.network, "dev", "lo"]);
  run(["ip", "-n", target, "-6", "route", "add", "local", BLOCK.network6, "dev", "lo"]);
}

/** A listener of Linux has limits; a probe that meets one would be an open port not found, and nobody's fault. */
function answerEveryProbe(target: string): void {
  // Stateless answers: no queue of half-open connections that could be full.
  setKernel(target, "net/ipv4/tcp_syncookies", 2);
  setKernel(target, "net/ipv4/tcp_max_syn_backlog", 1_048_576);
  setKernel(target, "net/core/somaxconn", 65_535);
}

function macOf(namespace: string): string {
  return run(inNamespace(namespace, ["cat", `/sys/class/net/${INTERFACE}/address`])).trim();
}

function readCounter(namespace: string, counter: BlockCounter): number {
  const text = run(inNamespace(namespace, ["nft", "list", "counter", "netdev", "block", counter]));
  const packets = /packets (\d+)/.exec(text)?.[1];
  if (packets === undefined) throw new Error(`nft shows no packet counter: ${text}`);
  return Number(packets);
}
