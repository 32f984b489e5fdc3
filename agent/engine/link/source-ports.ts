/**
 * Source ports for probes: a run of ports that no connection of this host uses, and that none will use meanwhile.
 * Each is held by bound sockets, one for each protocol. None listens, so the kernel answers a SYN-ACK with the RST that a
 * SYN scan wants; a UDP answer is no error either; and the kernel gives the port to nobody else.
 */

import { readFileSync } from "node:fs";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  SO_RCVBUF,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../ffi/constants.ts";
import { errno, errnoName, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { PortolanError, UsageError } from "#shared/errors.ts";
import type { AddressFamily } from "../targets/address-words.ts";
import {
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN_BYTES,
  writeSockaddrIn,
  writeSockaddrIn6,
} from "./socket-address.ts";

const LOWEST = 1_024;
const HIGHEST = 65_535;
const MAX_TRIES = 200;

export interface SourcePorts {
  readonly first: number;
  readonly count: number;
  release(): void;
}

/**
 * @param families those that are scanned
 * @param fixedFirst the first port where the user wants a certain one
 * @param random a number in [0, 1), drawn anew at each call
 * @throws PortolanError NO_SOURCE_PORTS
 * @throws UsageError SOURCE_PORT_IN_USE or BAD_SOURCE_PORT, naming the port
 */
export function reserveSourcePorts(
  count: number,
  families: readonly AddressFamily[],
  fixedFirst: number | undefined,
  random: () => number,
): SourcePorts {
  if (fixedFirst !== undefined) return reserveFixed(count, families, fixedFirst);
  const [lowest, highest] = portsOutsideEphemeralRange(count);
  for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
    const first = lowest + Math.floor(random() * (highest - lowest - count + 2));
    const held = holdPorts(first, count, families);
    if (Array.isArray(held)) return sourcePorts(first, count, held);
  }
  throw new PortolanError("NO_SOURCE_PORTS", `found no ${count} free source ports in ${lowest}-${highest}`);
}

function reserveFixed(count: number, families: readonly AddressFamily[], first: number): SourcePorts {
  if (first < 1 || first + count - 1 > HIGHEST) {
    throw new UsageError(
      "BAD_SOURCE_PORT",
      `the scan needs ${count} source ports, one for each pass and purpose, so the first is from 1 to ` +
        `${HIGHEST - count + 1}, not ${first}`,
    );
  }
  const held = holdPorts(first, count, families);
  if (Array.isArray(held)) return sourcePorts(first, count, held);
  const reason = held.error === "EADDRINUSE" ? "is in use" : `cannot be taken (${held.error})`;
  const run = count === 1 ? "" : `; the scan needs ${first}-${first + count - 1}`;
  throw new UsageError("SOURCE_PORT_IN_USE", `the source port ${held.port}/${held.protocol} ${reason}${run}`);
}

function sourcePorts(first: number, count: number, held: readonly number[]): SourcePorts {
  return { first, count, release: () => held.forEach((fd) => libc.close(fd)) };
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

const PROTOCOLS = [
  { protocol: "tcp", type: SOCK_STREAM },
  { protocol: "udp", type: SOCK_DGRAM },
] as const;

interface TakenPort {
  readonly port: number;
  readonly protocol: (typeof PROTOCOLS)[number]["protocol"];
  readonly error: string;
}

/** Sockets bound to every port of the run, or the first port that is taken. */
function holdPorts(first: number, count: number, families: readonly AddressFamily[]): number[] | TakenPort {
  const held: number[] = [];
  for (let port = first; port < first + count; port++) {
    for (const { protocol, type } of PROTOCOLS) {
      for (const family of families) {
        const error = hold(family, type, port, held);
        if (error === undefined) continue;
        held.forEach((fd) => libc.close(fd));
        return { port, protocol, error };
      }
    }
  }
  return held;
}

/** Adds the bound socket to `held`. Returns the name of the error where the port cannot be had. */
function hold(family: AddressFamily, type: number, port: number, held: number[]): string | undefined {
  const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const error = errnoName(errno());
    // Without IPv6 in the kernel nobody else can take its ports either.
    return family === 6 && error === "EAFNOSUPPORT" ? undefined : error;
  }
  held.push(fd);
  const option = new PinnedMemory(4);
  // UDP answers are read elsewhere; here they may not even fill a buffer. The kernel rounds up to its least.
  libc.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, option.address, 4);
  option.view.setInt32(0, 1, true);
  if (family === 6) libc.setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, option.address, 4);
  const name = new PinnedMemory(SOCKADDR_IN6_BYTES);
  const nameBytes = family === 4 ? SOCKADDR_IN_BYTES : SOCKADDR_IN6_BYTES;
  if (family === 4) writeSockaddrIn(name.view, 0, 0, port);
  else writeSockaddrIn6(name.view, 0, ANY_ADDRESS, 0, port);
  return libc.bind(fd, name.address, nameBytes) === 0 ? undefined : errnoName(errno());
}

const ANY_ADDRESS = new DataView(new ArrayBuffer(16));
