/**
 * Picks the link for a scan: the best that this host allows, with the reason, for people. In two steps, because what
 * the process may do is known before routing, and what the interfaces can do only after it.
 */

import { AF_PACKET, SOCK_CLOEXEC, SOCK_STREAM } from "../../ffi/constants.ts";
import { errno, errnoName, libc } from "../../ffi/libc.ts";
import { UsageError } from "#shared/errors.ts";
import type { LinkName, Probing, ScanRequest } from "../plan.ts";
import type { LinkInfo } from "./netlink.ts";
import type { Route } from "./route-types.ts";
import { speaksEthernet } from "./ways-out.ts";
import { xdpProblem, xdpSocketProblem } from "./xdp-transmitter.ts";

/** More gain nothing: no network card takes packets faster than eight threads make them. */
const MAX_SENDERS = 8;

/**
 * Undefined where packet sockets may be opened, else why not, with what mends it.
 * Asks for a kind of packet socket that does not exist: the kernel looks at the privilege first, and no socket is made
 * whose closing would take 10 ms and more.
 */
export function rawSocketProblem(): string | undefined {
  const fd = libc.socket(AF_PACKET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const error = fd < 0 ? errnoName(errno()) : "";
  if (fd >= 0) libc.close(fd);
  if (error === "" || error === "ESOCKTNOSUPPORT") return undefined;
  return error === "EPERM"
    ? "raw sockets need root or CAP_NET_RAW"
    : `raw sockets are not available here (${error})`;
}

/** What the process may do. */
export interface Privilege {
  readonly probing: Probing;
  /** Let the kernel route every packet. */
  readonly forceKernel: boolean;
  /** Why not something better, for people. */
  readonly notes: readonly string[];
}

/**
 * The first step, before routing.
 * @throws UsageError NO_PRIVILEGE where a link, or anything that ordinary connections cannot do, was asked for that this
 *   process may not do; CONNECT_ONLY where it was asked for together with ordinary connections
 */
export function choosePrivilege(request: ScanRequest): Privilege {
  const { link } = request;
  const beyond = beyondConnections(request);
  if (link === "connect") {
    if (beyond === undefined) return { probing: "connect", forceKernel: true, notes: [] };
    throw new UsageError("CONNECT_ONLY", `${beyond} needs packets of our own; leave --link connect out`);
  }
  const problem = rawSocketProblem();
  if (problem === undefined) return { probing: "packets", forceKernel: link === "raw", notes: [] };
  if (link !== "auto") {
    throw new UsageError(
      "NO_PRIVILEGE",
      `cannot use the ${link} link: ${problem}; run with sudo, or leave --link out to use ordinary connections`,
    );
  }
  if (beyond !== undefined) {
    throw new UsageError("NO_PRIVILEGE", `${beyond} needs packets of our own: ${problem}; run with sudo`);
  }
  return {
    probing: "connect",
    forceKernel: true,
    notes: [`${problem}; using ordinary connections instead`],
  };
}

/** What was asked for that only packets of our own can do, or undefined. */
function beyondConnections(request: ScanRequest): string | undefined {
  if (request.find === "hosts") return "finding hosts";
  if (request.udpPorts.length > 0) return "scanning UDP ports";
  if (request.interfaceName !== undefined) return "choosing the interface";
  if (request.sourceAddresses.v4 !== undefined || request.sourceAddresses.v6 !== undefined) {
    return "choosing the source address";
  }
  if (request.sourcePort !== undefined) return "choosing the source port";
  if (request.gatewayMac !== undefined) return "choosing the gateway's hardware address";
  return request.capturePath === undefined ? undefined : "writing a capture file";
}

export interface FrameLink {
  /** For routes where we write frames. */
  readonly frameLink: "xdp" | "packet";
  readonly notes: readonly string[];
}

/**
 * The second step, after routing. One link serves all interfaces where frames are written.
 * @param problemOf why AF_XDP does not work on an interface's queue, or undefined. Trying it out whole takes as long as
 *   the rest of a start, so unless it was asked for a sender finds out, and takes the next best
 * @throws UsageError NO_ETHERNET naming the interface where frames were asked for that it does not take
 * @throws UsageError NO_XDP where AF_XDP was asked for and does not work
 */
export function chooseFrameLink(
  wanted: LinkName,
  privilege: Privilege,
  routes: readonly Route[],
  problemOf: (interfaceIndex: number, queue: number) => string | undefined = wanted === "xdp"
    ? xdpProblem
    : xdpSocketProblem,
): FrameLink {
  if (privilege.probing === "connect" || wanted === "raw") return { frameLink: "packet", notes: [] };
  const byKernel = routes.filter(({ via }) => via === "kernel").map(({ interfaceName }) => interfaceName);
  const [withoutFrames] = byKernel;
  if (wanted !== "auto" && withoutFrames !== undefined) {
    throw new UsageError(
      "NO_ETHERNET",
      `the ${wanted} link needs Ethernet, and some targets are reached over ${withoutFrames}; use --link raw`,
    );
  }
  if (wanted === "packet") return { frameLink: "packet", notes: [] };
  // Everybody expects loopback to be different.
  const others = new Set(byKernel.filter((name) => name !== "lo"));
  const notes = [...others].map((name) => `${name}: using the raw link, because it takes no Ethernet frames`);
  const problem = firstXdpProblem(routes, problemOf);
  if (problem === undefined) return { frameLink: "xdp", notes };
  if (wanted === "xdp") {
    throw new UsageError(
      "NO_XDP",
      `cannot use the xdp link: ${problem}. Leave --link out to take the next best`,
    );
  }
  return { frameLink: "packet", notes: [...notes, `using the packet link, because ${problem}`] };
}

function firstXdpProblem(
  routes: readonly Route[],
  problemOf: (interfaceIndex: number, queue: number) => string | undefined,
): string | undefined {
  const names = new Map(
    routes.filter(({ via }) => via === "frame").map((route) => [route.interfaceIndex, route.interfaceName]),
  );
  for (const [index, name] of names) {
    const problem = problemOf(index, 0);
    if (problem !== undefined) return `on ${name} ${problem}`;
  }
  return undefined;
}

/** The link that `auto` takes on an interface, and why not a better one. For `doctor`. */
export function linkOfInterface(link: LinkInfo): {
  readonly link: LinkName;
  readonly reason: string | undefined;
} {
  const privilegeProblem = rawSocketProblem();
  if (privilegeProblem !== undefined) return { link: "connect", reason: privilegeProblem };
  if (!speaksEthernet(link)) return { link: "raw", reason: "it takes no Ethernet frames" };
  const problem = xdpProblem(link.index, 0);
  if (problem === undefined) return { link: "xdp", reason: undefined };
  return { link: "packet", reason: problem };
}

/**
 * How many threads can send with use: each needs a transmit queue and a CPU of its own. Where there are more than two
 * CPUs, one is left to receiving.
 */
export function senderCount(routes: readonly Route[], cpus: number): number {
  const queues = routes.map(({ via, txQueues }) => (via === "frame" ? txQueues : 1));
  const spareCpus = cpus > 2 ? cpus - 1 : cpus;
  return Math.max(1, Math.min(Math.max(1, ...queues), spareCpus, MAX_SENDERS));
}
