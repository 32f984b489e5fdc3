/** What `doctor` says of sending and receiving: privileges, ways out, and the link that a scan takes on each interface. */

import { existsSync } from "node:fs";
import { errorMessage } from "#shared/errors.ts";
import { linkOfInterface, rawSocketProblem } from "../engine/link/choose.ts";
import { Netlink } from "../engine/link/netlink.ts";
import { ReceiveRing } from "../engine/link/receive-ring.ts";
import {
  type AddressFamily,
  type AddressWords,
  formatWords,
  wordsOfIpv4,
  wordsOfIpv6,
} from "../engine/targets/address-words.ts";
import type { Check } from "./doctor-checks.ts";

/** Documentation addresses (RFC 5737, RFC 3849): they ask for the default route. Nothing is sent. */
const SOMEWHERE_ELSE: Readonly<Record<AddressFamily, AddressWords>> = {
  4: wordsOfIpv4(0xcb00_7101),
  6: wordsOfIpv6(0x2001_0db8n << 96n),
};

export function checkRawSockets(executable: string): Check {
  const problem = rawSocketProblem();
  if (problem === undefined) {
    return { name: "raw sockets", status: "ok", finding: "scans can send packets of their own" };
  }
  return {
    name: "raw sockets",
    status: "warning",
    finding: `${problem}; scans use ordinary connections, which are slower and leave traces`,
    remedy: `sudo ${executable} scan …   (as a service: AmbientCapabilities=CAP_NET_RAW)`,
  };
}

export function checkReceiveRing(): Check {
  try {
    // Port 9 (discard) of a ring that is closed again at once.
    new ReceiveRing([4], 9, 1).close();
    return { name: "receive ring", status: "ok", finding: "packets can be received without copying" };
  } catch (error) {
    return {
      name: "receive ring",
      status: rawSocketProblem() === undefined ? "problem" : "warning",
      finding: errorMessage(error),
      remedy: "sudo portolan-agent doctor   (the ring needs CAP_NET_RAW and memory)",
    };
  }
}

export function checkDefaultRoutes(): Check[] {
  const netlink = new Netlink();
  try {
    const v4 = defaultRoute(netlink, 4);
    const v6 = defaultRoute(netlink, 6);
    return [
      v4 === undefined
        ? {
            name: "IPv4 default route",
            status: "warning",
            finding: "none: only networks that this host has a route to can be scanned",
            remedy: "ip route add default via GATEWAY",
          }
        : { name: "IPv4 default route", status: "ok", finding: v4 },
      // Many hosts have no IPv6 and need none.
      { name: "IPv6 default route", status: "ok", finding: v6 ?? withoutIpv6Route() },
    ];
  } finally {
    netlink.close();
  }
}

function withoutIpv6Route(): string {
  return existsSync("/proc/net/if_inet6")
    ? "none: only IPv6 networks that this host has a route to can be scanned"
    : "none: this host has no IPv6";
}

function defaultRoute(netlink: Netlink, family: AddressFamily): string | undefined {
  const route = netlink.routeTo(family, SOMEWHERE_ELSE[family], { linkIndex: 0, source: undefined });
  if (route.kind === "none" || route.source === undefined) return undefined;
  const link = netlink.links().find(({ index }) => index === route.linkIndex);
  const via = route.gateway === undefined ? "" : ` via ${formatWords(family, route.gateway)}`;
  return `${link?.name ?? "?"}${via}, from ${formatWords(family, route.source)}`;
}

/** One for each interface that is up and has a route. */
export function checkLinks(): Check[] {
  const netlink = new Netlink();
  try {
    const routed = new Set(
      [...netlink.ipv4Prefixes(), ...netlink.ipv6Prefixes()].map(({ linkIndex }) => linkIndex),
    );
    return netlink
      .links()
      .filter(({ up, index }) => up && routed.has(index))
      .map((info) => {
        const { link, reason } = linkOfInterface(info);
        const finding = reason === undefined ? `${link}, the fastest` : `${link}, because ${reason}`;
        return { name: `link on ${info.name}`, status: "ok", finding };
      });
  } finally {
    netlink.close();
  }
}
