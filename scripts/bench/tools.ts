/**
 * The command lines that are compared: the same probes from each program, as fast as it can. Each is told its gateway
 * and source, so that none spends time on finding them.
 */

import { existsSync } from "node:fs";
import { BLOCK } from "../lab/block.ts";
import type { BlockLab } from "../lab/block-lab.ts";

export const AGENT = new URL("../../dist/portolan-agent", import.meta.url).pathname;

export const PEERS = ["masscan", "zmap", "nmap"] as const;
export type Peer = (typeof PEERS)[number];

/** Peers are optional: what is not installed is not in the table. */
export function hasPeer(peer: Peer): boolean {
  return Bun.which(peer) !== null;
}

/** @throws Error with the line that builds it */
export function requireAgent(): void {
  if (!existsSync(AGENT)) throw new Error(`${AGENT} is not built; run: bun run build`);
}

/** @param ports as `-p` takes them */
export function portolan(lab: BlockLab, ports: string, ...flags: readonly string[]): string[] {
  return lab.onScanner([AGENT, "scan", BLOCK.network, "-p", ports, "--quiet", ...flags]);
}

export function masscan(lab: BlockLab, ports: string, ...flags: readonly string[]): string[] {
  const way = [
    "--adapter",
    lab.scannerInterface,
    "--adapter-ip",
    BLOCK.scanner,
    "--router-mac",
    lab.gatewayMac,
  ];
  const from = ["--adapter-port", "61000"];
  return lab.onScanner([
    "masscan",
    BLOCK.network,
    `-p${ports}`,
    ...way,
    ...from,
    "--rate",
    "10000000",
    ...flags,
  ]);
}

/** One port a run: more it cannot before version 4. @param network anything; it asks no routing table */
export function zmap(lab: BlockLab, network: string, port: number, ...flags: readonly string[]): string[] {
  const way = ["-i", lab.scannerInterface, "-S", BLOCK.scanner, "-G", lab.gatewayMac];
  // Its own list of networks not to scan has the private ones in it.
  const words = ["-r", "0", "-b", "/dev/null", "--disable-syslog", "-q", ...flags];
  return lab.onScanner(["zmap", "-p", String(port), ...way, ...words, network]);
}
