/**
 * Source ports for probes: a run of ports that no connection of this host uses, and that none will use meanwhile.
 * Each is held by a bound socket that does not listen, so the kernel answers a SYN-ACK to it with the RST that a
 * SYN scan wants, and gives the port to nobody else.
 */

import { readFileSync } from "node:fs";
import { libc } from "../../ffi/libc.ts";
import { AF_INET, SOCK_CLOEXEC, SOCK_STREAM } from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { PortolanError } from "#shared/errors.ts";
import { SOCKADDR_IN_BYTES, writeSockaddrIn } from "./socket-address.ts";

const LOWEST = 1_024;
const HIGHEST = 65_535;
const MAX_TRIES = 200;

export interface SourcePorts {
  readonly first: number;
  readonly count: number;
  release(): void;
}

/**
 * @param random a number in [0, 1), drawn anew at each call
 * @throws PortolanError NO_SOURCE_PORTS
 */
export function reserveSourcePorts(count: number, random: () => number): SourcePorts {
  const [lowest, highest] = portsOutsideEphemeralRange(count);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const first = lowest + Math.floor(random() * (highest - lowest - count + 2));
    const held = holdPorts(first, count);
    if (held !== undefined) {
      return { first, count, release: () => held.forEach((fd) => libc.close(fd)) };
    }
  }
  throw new PortolanError("NO_SOURCE_PORTS", `found no ${count} free source ports in ${lowest}-${highest}`);
}

/** The larger gap above or below the range that the kernel takes for its own connections; all where there is none. */
function portsOutsideEphemeralRange(count: number): readonly [number, number] {
  const [low = LOWEST, high = HIGHEST] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
    .trim()
    .split(/\s+/)
    .map(Number);
  if (HIGHEST - high >= count * 2) return [high + 1, HIGHEST];
  if (low - LOWEST >= count * 2) return [LOWEST, low - 1];
  return [LOWEST, HIGHEST];
}

/** Sockets bound to every port of the run, or undefined where one is taken. */
function holdPorts(first: number, count: number): number[] | undefined {
  const name = new PinnedMemory(SOCKADDR_IN_BYTES);
  const held: number[] = [];
  for (let port = first; port < first + count; port++) {
    const fd = libc.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    writeSockaddrIn(name.view, 0, 0, port);
    if (fd >= 0) held.push(fd);
    if (fd < 0 || libc.bind(fd, name.address, SOCKADDR_IN_BYTES) !== 0) {
      held.forEach((open) => libc.close(open));
      return undefined;
    }
  }
  return held;
}
