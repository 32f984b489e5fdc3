/**
 * Writes small databases of autonomous systems in MaxMind DB format 2.0 (https://maxmind.github.io/MaxMind-DB/): a
 * binary tree over address bits, a data section, and a description at the end. All records have 32 bits.
 */

import { type Address, type Network, parseNetwork } from "../services/network.ts";

const RECORD_BYTES = 4;
const SEPARATOR = Buffer.alloc(16);
const METADATA_MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/** Data types, by their numbers in the format. */
const TYPE = { text: 2, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11 } as const;

/** An inner node, or the autonomous system that everything below is in. */
type Tree = { left?: Tree; right?: Tree } | { asn: number };

export interface MmdbOptions {
  readonly databaseType?: string;
  /** 6 holds IPv4 addresses too, below ::/96. */
  readonly ipVersion?: 4 | 6;
}

/** @param systems network → number of its autonomous system; no network may lie within another */
export function mmdbFile(systems: Readonly<Record<string, number>>, options: MmdbOptions = {}): Buffer {
  const { databaseType = "GeoLite2-ASN", ipVersion = 6 } = options;
  const root: Tree = {};
  for (const [text, asn] of Object.entries(systems)) {
    const network = parseNetwork(text);
    if (network === undefined) throw new Error(`'${text}' is no network`);
    insert(root, pathOf(network, ipVersion), asn);
  }
  const { tree, data, nodeCount } = layOut(root);
  const metadata = map({
    node_count: uint(TYPE.uint32, nodeCount),
    record_size: uint(TYPE.uint16, RECORD_BYTES * 8),
    ip_version: uint(TYPE.uint16, ipVersion),
    database_type: text(databaseType),
    languages: item(TYPE.array, 0),
    binary_format_major_version: uint(TYPE.uint16, 2),
    binary_format_minor_version: uint(TYPE.uint16, 0),
    build_epoch: uint(TYPE.uint64, 1_769_500_000),
    description: map({ en: text("for tests") }),
  });
  return Buffer.concat([tree, SEPARATOR, data, METADATA_MARKER, metadata]);
}

/** The bits of the network, first to last. */
function pathOf({ base, prefixLength }: Network, ipVersion: 4 | 6): boolean[] {
  const bits = bitsOf(base).slice(0, prefixLength);
  if (base.family === ipVersion) return bits;
  if (ipVersion === 4) throw new Error("an IPv4 database holds no IPv6 network");
  return [...Array.from({ length: 96 }, () => false), ...bits];
}

function bitsOf({ family, value }: Address): boolean[] {
  const text = value.toString(2).padStart(family === 4 ? 32 : 128, "0");
  return [...text].map((bit) => bit === "1");
}

function insert(root: Tree, path: readonly boolean[], asn: number): void {
  let node = root;
  for (const [depth, bit] of path.entries()) {
    if ("asn" in node) throw new Error("a network lies within another");
    const side = bit ? "right" : "left";
    node[side] ??= depth === path.length - 1 ? { asn } : {};
    node = node[side];
  }
}

/** Numbers the nodes, the root first, and writes each with its two records. */
function layOut(root: Tree): { tree: Buffer; data: Buffer; nodeCount: number } {
  const nodes: Tree[] = [root];
  for (const node of nodes) {
    if ("asn" in node) continue;
    for (const child of [node.left, node.right])
      if (child !== undefined && !("asn" in child)) nodes.push(child);
  }
  const data: Buffer[] = [];
  let dataBytes = 0;
  const record = (child: Tree | undefined): number => {
    if (child === undefined) return nodes.length;
    if (!("asn" in child)) return nodes.indexOf(child);
    const value = nodes.length + SEPARATOR.length + dataBytes;
    const entry = map({
      autonomous_system_number: uint(TYPE.uint32, child.asn),
      autonomous_system_organization: text(`AS${child.asn} for tests`),
    });
    data.push(entry);
    dataBytes += entry.length;
    return value;
  };
  const tree = Buffer.alloc(nodes.length * 2 * RECORD_BYTES);
  for (const [number, node] of nodes.entries()) {
    if ("asn" in node) continue;
    tree.writeUInt32BE(record(node.left), number * 2 * RECORD_BYTES);
    tree.writeUInt32BE(record(node.right), number * 2 * RECORD_BYTES + RECORD_BYTES);
  }
  return { tree, data: Buffer.concat(data), nodeCount: nodes.length };
}

/** Type and size, up to 284: all that is written here is smaller. Types from 8 on have a byte of their own. */
function item(type: number, size: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const isExtended = type > TYPE.map;
  const head = ((isExtended ? 0 : type) << 5) | Math.min(size, 29);
  return Buffer.concat([
    Buffer.from([head, ...(isExtended ? [type - TYPE.map] : []), ...(size >= 29 ? [size - 29] : [])]),
    payload,
  ]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return item(TYPE.text, bytes.length, bytes);
}

function uint(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  // Without leading zeros, of which uint16 would have too many.
  const significant = bytes.subarray(bytes.findIndex((byte) => byte !== 0) % bytes.length);
  return value === 0 ? item(type, 0) : item(type, significant.length, significant);
}

function map(entries: Readonly<Record<string, Buffer>>): Buffer {
  const parts = Object.entries(entries).flatMap(([name, value]) => [text(name), value]);
  return item(TYPE.map, Object.keys(entries).length, Buffer.concat(parts));
}
