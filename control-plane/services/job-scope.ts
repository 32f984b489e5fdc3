/** What a job covers: which results may come from it, and of which endpoints it tells something by silence. */

import { compareBytes } from "#shared/net/address-bytes.ts";
import { type AddressRanges, rangeEndingFrom, rangesHold } from "#shared/net/address-ranges.ts";
import type { AddressSet } from "#shared/net/address-set.ts";
import { countRanges, type NumberRange, rangesContain } from "#shared/net/ranges.ts";
import { parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import type { JobTarget } from "#shared/protocol/job.ts";
import { type PortKey, PROTOCOL_CODES, type ProtocolCode } from "../store/endpoint-key.ts";

interface ScopePart {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

/** Addresses in the order of their bytes, both belong to it. */
export interface AddressSpan {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

export class JobScope {
  private readonly parts: readonly ScopePart[];
  /** From the first to the last of all addresses; there may be others between. */
  readonly span: AddressSpan;

  /** @throws UsageError for targets that were not written by us */
  constructor(targets: readonly JobTarget[]) {
    this.parts = targets.map(({ addresses, ports }) => ({
      addresses: parseTargets(addresses),
      ports: parsePorts(ports),
    }));
    this.span = spanOf(this.parts);
  }

  holds({ address, protocol, port }: PortKey): boolean {
    const words = wordsOf(address);
    for (const part of this.parts) {
      if (rangesContain(portsOf(part, protocol), port) && rangesHold(rangesOf(part, address), words))
        return true;
    }
    return false;
  }

  holdsAddress(address: Uint8Array): boolean {
    const words = wordsOf(address);
    return this.parts.some((part) => rangesHold(rangesOf(part, address), words));
  }

  /** How many TCP ports of an address there are. */
  countTcpPorts(address: Uint8Array): number {
    const words = wordsOf(address);
    let count = 0;
    for (const part of this.parts) {
      if (rangesHold(rangesOf(part, address), words)) count += countRanges(part.ports.tcp);
    }
    return count;
  }

  /** The first address of it that comes after this one; the one itself where that takes more than a look. */
  skipAfter(address: Uint8Array): Uint8Array | undefined {
    let next: Uint8Array | undefined;
    for (const part of this.parts) {
      const ranges = rangesOf(part, address);
      if (part.addresses.v4.length + part.addresses.v6.length !== ranges.length) return address;
      const start = startAfter(ranges, address);
      if (start !== undefined && (next === undefined || compareBytes(start, next) < 0)) next = start;
    }
    return next;
  }
}

function portsOf({ ports }: ScopePart, protocol: ProtocolCode): readonly NumberRange[] {
  return protocol === PROTOCOL_CODES.tcp ? ports.tcp : ports.udp;
}

function rangesOf({ addresses }: ScopePart, address: Uint8Array): AddressRanges {
  return address.length === 4 ? addresses.v4 : addresses.v6;
}

/** The address itself where its range goes on after it. */
function startAfter(ranges: AddressRanges, address: Uint8Array): Uint8Array | undefined {
  const { words, width } = ranges;
  const own = wordsOf(address);
  let index = rangeEndingFrom(ranges, own, 0);
  if (index < ranges.length && compareBytes(bytesAt(words, (2 * index + 1) * width, width), address) === 0)
    index++;
  if (index >= ranges.length) return undefined;
  const start = bytesAt(words, 2 * index * width, width);
  return compareBytes(start, address) > 0 ? start : address;
}

function spanOf(parts: readonly ScopePart[]): AddressSpan {
  let first: Uint8Array | undefined;
  let last: Uint8Array | undefined;
  for (const { v4, v6 } of parts.map(({ addresses }) => addresses)) {
    for (const { words, width, length } of [v4, v6]) {
      if (length === 0) continue;
      const from = bytesAt(words, 0, width);
      const to = bytesAt(words, words.length - width, width);
      if (first === undefined || compareBytes(from, first) < 0) first = from;
      if (last === undefined || compareBytes(to, last) > 0) last = to;
    }
  }
  if (first === undefined || last === undefined) throw new RangeError("a job without addresses");
  return { first, last };
}

function bytesAt(words: Uint32Array, at: number, width: number): Uint8Array {
  const bytes = new Uint8Array(4 * width);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < width; i++) view.setUint32(4 * i, words[at + i] ?? 0);
  return bytes;
}

const ipv4Words = new Uint32Array(1);
const ipv6Words = new Uint32Array(4);

/** Holds until the next call: one array a family, since millions of addresses come by. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const words = bytes.length === 4 ? ipv4Words : ipv6Words;
  for (let i = 0; i < words.length; i++) {
    const at = 4 * i;
    words[i] =
      ((bytes[at] ?? 0) << 24) |
      ((bytes[at + 1] ?? 0) << 16) |
      ((bytes[at + 2] ?? 0) << 8) |
      (bytes[at + 3] ?? 0);
  }
  return words;
}
