/**
 * A small network to scan, made of namespaces on this machine: a scanner's host, and a link with hosts whose every
 * port is known. Nothing in it has a route to the outside, so no packet can leave.
 *
 *   this machine ──uplink── scanner ──link 10.213.7.0/24, fd00:213:7::/64── hosts
 */

import { startAnswering, stopAnswering } from "./answering.ts";
import { LAB_HOSTS, LAB_LINK } from "./hosts.ts";
import { answerEveryError, inNamespace, namespaceProblem, removeAbandoned, run } from "./namespaces.ts";
import { LAB_TABLE, ruleset, SYN_COUNTER } from "./rules.ts";

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
  /** Hardware address that every host of the lab has. */
  readonly hostMac: string;
  /** The command line that runs `command` on the scanner's host. */
  onScanner(command: readonly string[]): string[];
  /** SYN packets that reached the hosts so far. */
  synsReceived(): number;
  close(): Promise<void>;
}

const INTERFACE = "lab0";
let labCount = 0;

/** @throws Error saying what is missing where namespaces cannot be made */
export async function createLab(): Promise<Lab> {
  const problem = namespaceProblem();
  if (problem !== undefined) throw new Error(problem);
  removeAbandoned();

  const id = `ptl-${process.pid}-${labCount}`;
  const [scanner, hosts] = [`${id}-scan`, `${id}-hosts`];
  labCount++;
  const uplink = freeUplink();
  const uplinkName = `ptl${process.pid % 100_000}u${labCount}`;

  try {
    for (const name of [scanner, hosts]) {
      run(["ip", "netns", "add", name]);
      run(["ip", "-n", name, "link", "set", "lo", "up"]);
    }
    makeUplink(scanner, uplinkName, uplink);
    makeLink(scanner, hosts);
    run(inNamespace(hosts, ["nft", "-f", "-"]), ruleset());
    answerEveryError(hosts);
    const listeners = await startAnswering(hosts, "listeners.ts");
    return {
      scanner,
      hosts,
      uplinkHere: uplink.here,
      uplinkThere: uplink.there,
      scannerInterface: INTERFACE,
      hostMac: run(inNamespace(hosts, ["cat", `/sys/class/net/${INTERFACE}/address`])).trim(),
      onScanner: (command) => inNamespace(scanner, command),
      synsReceived: () => readCounter(hosts),
      async close() {
        await stopAnswering(listeners);
        run(["ip", "netns", "del", scanner]);
        run(["ip", "netns", "del", hosts]);
      },
    };
  } catch (error) {
    for (const name of [scanner, hosts]) Bun.spawnSync(["ip", "netns", "del", name], { stderr: "ignore" });
    throw error;
  }
}

interface Uplink {
  readonly here: string;
  readonly there: string;
}

/** One of sixty-four /30 networks under 10.213.255.0/24: one for each lab that lives at the same time. */
function freeUplink(): Uplink {
  const taken = run(["ip", "-o", "-4", "address", "show"]);
  for (let i = 0; i < 64; i++) {
    // Not all from the first one: two labs that are made at the same moment should not meet.
    const block = ((process.pid + i) % 64) * 4;
    const here = `10.213.255.${block + 1}`;
    if (!taken.includes(` ${here}/`)) return { here, there: `10.213.255.${block + 2}` };
  }
  throw new Error("sixty-four labs are running already");
}

function makeUplink(scanner: string, name: string, { here, there }: Uplink): void {
  run(["ip", "link", "add", name, "type", "veth", "peer", "name", "uplink", "netns", scanner]);
  run(["ip", "address", "add", `${here}/30`, "dev", name]);
  run(["ip", "link", "set", name, "up"]);
  run(["ip", "-n", scanner, "address", "add", `${there}/30`, "dev", "uplink"]);
  run(["ip", "-n", scanner, "link", "set", "uplink", "up"]);
}

function makeLink(scanner: string, hosts: string): void {
  const here = ["ip", "-n", scanner, "link", "add", INTERFACE, "type", "veth"];
  run([...here, "peer", "name", INTERFACE, "netns", hosts]);
  addAddresses(scanner, LAB_LINK.scanner, LAB_LINK.scanner6);
  for (const { address, address6 } of LAB_HOSTS) addAddresses(hosts, address, address6);
  for (const name of [scanner, hosts]) run(["ip", "-n", name, "link", "set", INTERFACE, "up"]);
}

function addAddresses(namespace: string, v4: string, v6: string): void {
  const add = ["ip", "-n", namespace, "address", "add"];
  run([...add, `${v4}/${LAB_LINK.prefix}`, "dev", INTERFACE]);
  // Duplicate address detection would keep it from being used for a second.
  run([...add, `${v6}/${LAB_LINK.prefix6}`, "dev", INTERFACE, "nodad"]);
}

function readCounter(namespace: string): number {
  const text = run(inNamespace(namespace, ["nft", "list", "counter", ...LAB_TABLE, SYN_COUNTER]));
  const packets = /packets (\d+)/.exec(text)?.[1];
  if (packets === undefined) throw new Error(`nft shows no packet counter: ${text}`);
  return Number(packets);
}
