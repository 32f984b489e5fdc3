/**
 * A small network to scan, made of namespaces on this machine: a scanner's host, and a link with hosts whose every
 * port is known. Nothing in it has a route to the outside, so no packet can leave.
 *
 *   this machine ──uplink── scanner ──link 10.213.7.0/24── hosts
 */

import { LAB_HOSTS, LAB_LINK, ruleset, SYN_COUNTER } from "./hosts.ts";
import { inNamespace, namespaceProblem, removeAbandoned, run } from "./namespaces.ts";

export interface Lab {
  /** Namespace of the scanner's host. */
  readonly scanner: string;
  /** Namespace that answers for every host of the lab. */
  readonly hosts: string;
  /** Address of this machine as the scanner's host sees it, and the other way round. */
  readonly uplinkHere: string;
  readonly uplinkThere: string;
  /** The scanner's interface towards the hosts. */
  readonly scannerInterface: string;
  /** The command line that runs `command` on the scanner's host. */
  onScanner(command: readonly string[]): string[];
  /** SYN packets that reached the hosts so far. */
  synsReceived(): number;
  close(): Promise<void>;
}

let labCount = 0;

/** @throws Error saying what is missing where namespaces cannot be made */
export async function createLab(): Promise<Lab> {
  const problem = namespaceProblem();
  if (problem !== undefined) throw new Error(problem);
  removeAbandoned();

  const id = `ptl-${process.pid}-${labCount}`;
  const scanner = `${id}-scan`;
  const hosts = `${id}-hosts`;
  labCount++;
  const { uplinkHere, uplinkThere } = freeUplink();
  const uplinkName = `ptl${process.pid % 100_000}u${labCount}`;
  const scannerInterface = "lab0";

  try {
    run(["ip", "netns", "add", scanner]);
    run(["ip", "netns", "add", hosts]);
    run(["ip", "-n", scanner, "link", "set", "lo", "up"]);
    run(["ip", "-n", hosts, "link", "set", "lo", "up"]);

    run(["ip", "link", "add", uplinkName, "type", "veth", "peer", "name", "uplink", "netns", scanner]);
    run(["ip", "address", "add", `${uplinkHere}/30`, "dev", uplinkName]);
    run(["ip", "link", "set", uplinkName, "up"]);
    run(["ip", "-n", scanner, "address", "add", `${uplinkThere}/30`, "dev", "uplink"]);
    run(["ip", "-n", scanner, "link", "set", "uplink", "up"]);

    run([
      "ip",
      "-n",
      scanner,
      "link",
      "add",
      scannerInterface,
      "type",
      "veth",
      "peer",
      "name",
      "lab0",
      "netns",
      hosts,
    ]);
    run([
      "ip",
      "-n",
      scanner,
      "address",
      "add",
      `${LAB_LINK.scanner}/${LAB_LINK.prefix}`,
      "dev",
      scannerInterface,
    ]);
    run(["ip", "-n", scanner, "link", "set", scannerInterface, "up"]);
    for (const { address } of LAB_HOSTS) {
      run(["ip", "-n", hosts, "address", "add", `${address}/${LAB_LINK.prefix}`, "dev", "lab0"]);
    }
    run(["ip", "-n", hosts, "link", "set", "lab0", "up"]);
    run(inNamespace(hosts, ["nft", "-f", "-"]), ruleset());
    // The kernel sends one ICMP error a second to each asker; then the reason of a port would be chance.
    run(inNamespace(hosts, ["sh", "-c", "echo 0 >/proc/sys/net/ipv4/icmp_ratelimit"]));

    const listeners = await startListeners(hosts);
    return {
      scanner,
      hosts,
      uplinkHere,
      uplinkThere,
      scannerInterface,
      onScanner: (command) => inNamespace(scanner, command),
      synsReceived: () => readCounter(hosts),
      async close() {
        listeners.kill();
        await listeners.exited;
        run(["ip", "netns", "del", scanner]);
        run(["ip", "netns", "del", hosts]);
      },
    };
  } catch (error) {
    for (const name of [scanner, hosts]) Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    throw error;
  }
}

/** One of sixty-four /30 networks under 10.213.255.0/24: one for each lab that lives at the same time. */
function freeUplink(): { uplinkHere: string; uplinkThere: string } {
  const taken = run(["ip", "-o", "-4", "address", "show"]);
  for (let i = 0; i < 64; i++) {
    // Not all from the first one: two labs that are made at the same moment should not meet.
    const block = ((process.pid + i) % 64) * 4;
    const uplinkHere = `10.213.255.${block + 1}`;
    if (!taken.includes(` ${uplinkHere}/`)) return { uplinkHere, uplinkThere: `10.213.255.${block + 2}` };
  }
  throw new Error("sixty-four labs are running already");
}

function readCounter(namespace: string): number {
  const text = run(inNamespace(namespace, ["nft", "list", "counter", "ip", "lab", SYN_COUNTER]));
  const packets = /packets (\d+)/.exec(text)?.[1];
  if (packets === undefined) throw new Error(`nft shows no packet counter: ${text}`);
  return Number(packets);
}

/** Listens on every open port of the lab, in its namespace. Resolves when all of them do. */
async function startListeners(namespace: string): Promise<Bun.Subprocess<"ignore", "pipe", "inherit">> {
  const program = new URL("./listeners.ts", import.meta.url).pathname;
  const process_ = Bun.spawn(inNamespace(namespace, [process.execPath, program]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  for await (const chunk of process_.stdout) {
    if (new TextDecoder().decode(chunk).includes("ready")) return process_;
  }
  throw new Error(`the lab's listeners ended early with exit code ${await process_.exited}`);
}
