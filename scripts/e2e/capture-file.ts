/** Reads the pcap files that `--pcap` writes, no more of them than tests ask: which probes left. */

import { readFileSync } from "node:fs";
import { formatIpv4 } from "#shared/net/ipv4.ts";

const FILE_HEADER_BYTES = 24;
const PACKET_HEADER_BYTES = 16;
const TCP = 6;
const FLAG_SYN = 0x02;
const FLAGS = 0x17;

/** `address port` of every SYN over IPv4 in the capture, which has raw IP packets, in order; doubles stay. */
export function synsOf(path: string): string[] {
  const file = readFileSync(path);
  const syns: string[] = [];
  for (let at = FILE_HEADER_BYTES; at + PACKET_HEADER_BYTES <= file.length;) {
    const length = file.readUInt32LE(at + 8);
    const packet = at + PACKET_HEADER_BYTES;
    at = packet + length;
    const version = (file[packet] ?? 0) >> 4;
    if (version !== 4 || file[packet + 9] !== TCP) continue;
    const segment = packet + ((file[packet] ?? 0) & 15) * 4;
    if (((file[segment + 13] ?? 0) & FLAGS) !== FLAG_SYN) continue;
    syns.push(`${formatIpv4(file.readUInt32BE(packet + 16))} ${file.readUInt16BE(segment + 2)}`);
  }
  return syns;
}
