/**
 * Neighbour discovery for IPv6 over Ethernet (RFC 4861): the solicitation that asks for a MAC address, and reading the
 * advertisement that answers it.
 */

import type { AddressWords } from "../targets/address-words.ts";
import { addWords, finishChecksum } from "./checksum.ts";

const ETHERNET_BYTES = 14;
const IPV6_BYTES = 40;
/** ICMPv6 header and flags, target, and one option with a link-layer address. */
const SOLICITATION_BYTES = 32;
export const NEIGHBOUR_SOLICITATION_BYTES = ETHERNET_BYTES + IPV6_BYTES + SOLICITATION_BYTES;

const ETHERTYPE_IPV6 = 0x86dd;
export const NEXT_HEADER_ICMPV6 = 58;
/** Routers lower it, so a packet that still has it comes from the link itself. */
export const NDP_HOP_LIMIT = 255;
const TYPE_SOLICITATION = 135;
export const TYPE_ADVERTISEMENT = 136;
const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
const FLAG_SOLICITED = 0x40;
const ADVERTISEMENT_BYTES = 24;
const OPTION_UNIT_BYTES = 8;

// Offsets in the frame.
const DESTINATION_AT = ETHERNET_BYTES + 24;
const ICMP_AT = ETHERNET_BYTES + IPV6_BYTES;
const CHECKSUM_AT = ICMP_AT + 2;
const TARGET_AT = ICMP_AT + 8;
const OPTION_AT = ICMP_AT + 24;

/**
 * A solicitation from `mac`; `solicit` fills in whom it asks for.
 * @param source our address on the link: the answer goes there
 */
export function buildNeighbourSolicitation(mac: Uint8Array, source: AddressWords): Uint8Array {
  const frame = new Uint8Array(NEIGHBOUR_SOLICITATION_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint16(0, 0x3333);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_IPV6);
  view.setUint32(ETHERNET_BYTES, 0x6000_0000);
  view.setUint16(ETHERNET_BYTES + 4, SOLICITATION_BYTES);
  view.setUint8(ETHERNET_BYTES + 6, NEXT_HEADER_ICMPV6);
  view.setUint8(ETHERNET_BYTES + 7, NDP_HOP_LIMIT);
  source.forEach((word, i) => view.setInt32(ETHERNET_BYTES + 8 + i * 4, word));
  view.setUint8(ICMP_AT, TYPE_SOLICITATION);
  view.setUint8(OPTION_AT, OPTION_SOURCE_MAC);
  view.setUint8(OPTION_AT + 1, 1);
  frame.set(mac, OPTION_AT + 2);
  return frame;
}

/** Makes the frame ask for `target`, at its solicited-node multicast address, in ff02::1:ff00:0/104 (RFC 4291, 2.7.1). */
export function solicit(frame: Uint8Array, view: DataView, target: AddressWords): void {
  const group = 0xff00_0000 | (target[3] & 0x00ff_ffff);
  view.setInt32(2, group);
  view.setInt32(DESTINATION_AT, 0xff02_0000);
  view.setInt32(DESTINATION_AT + 4, 0);
  view.setInt32(DESTINATION_AT + 8, 1);
  view.setInt32(DESTINATION_AT + 12, group);
  for (let i = 0; i < 4; i++) view.setInt32(TARGET_AT + i * 4, target[i] ?? 0);
  view.setUint16(CHECKSUM_AT, 0);
  view.setUint16(CHECKSUM_AT, icmpChecksum(frame, ETHERNET_BYTES, SOLICITATION_BYTES));
}

export interface NeighbourAdvertisement {
  readonly target: AddressWords;
  readonly macHigh: number;
  readonly macLow: number;
}

/**
 * Reads an IPv6 packet without its Ethernet header. Undefined unless it is a sound answer to a solicitation (RFC 4861,
 * 7.1.2) that gives a usable address.
 */
export function parseNeighbourAdvertisement(
  bytes: Uint8Array,
  view: DataView,
  length: number,
): NeighbourAdvertisement | undefined {
  if (length < IPV6_BYTES + ADVERTISEMENT_BYTES) return undefined;
  const icmpBytes = view.getUint16(4);
  const fits =
    view.getUint8(0) >>> 4 === 6 &&
    icmpBytes >= ADVERTISEMENT_BYTES &&
    IPV6_BYTES + icmpBytes <= length &&
    view.getUint8(6) === NEXT_HEADER_ICMPV6 &&
    view.getUint8(7) === NDP_HOP_LIMIT &&
    view.getUint16(IPV6_BYTES) === TYPE_ADVERTISEMENT << 8 &&
    (view.getUint8(IPV6_BYTES + 4) & FLAG_SOLICITED) !== 0 &&
    // A correct checksum makes the sum over everything, itself included, come out as zero.
    icmpChecksum(bytes, 0, icmpBytes) === 0;
  if (!fits) return undefined;
  const mac = targetMacAt(view, IPV6_BYTES + ADVERTISEMENT_BYTES, IPV6_BYTES + icmpBytes);
  if (mac < 0) return undefined;
  const macHigh = view.getUint16(mac);
  const macLow = view.getInt32(mac + 2);
  // A group address is no host's own (IEEE 802: lowest bit of the first octet).
  if ((macHigh & 0x0100) !== 0 || (macHigh === 0 && macLow === 0)) return undefined;
  const at = IPV6_BYTES + 8;
  return {
    target: [view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12)],
    macHigh,
    macLow,
  };
}

/** Where the target's link-layer address stands among the options, or -1. An option of no length spoils the packet. */
function targetMacAt(view: DataView, from: number, to: number): number {
  let found = -1;
  let at = from;
  while (at + OPTION_UNIT_BYTES <= to) {
    const optionBytes = view.getUint8(at + 1) * OPTION_UNIT_BYTES;
    if (optionBytes === 0 || at + optionBytes > to) return -1;
    const isMac = view.getUint8(at) === OPTION_TARGET_MAC && optionBytes === OPTION_UNIT_BYTES;
    if (isMac && found < 0) found = at + 2;
    at += optionBytes;
  }
  return found;
}

/** The ICMPv6 checksum with its pseudo-header (RFC 8200, 8.1) of the IPv6 packet at `at`. */
function icmpChecksum(bytes: Uint8Array, at: number, icmpBytes: number): number {
  const addresses = addWords(icmpBytes + NEXT_HEADER_ICMPV6, bytes, at + 8, at + IPV6_BYTES);
  return finishChecksum(addWords(addresses, bytes, at + IPV6_BYTES, at + IPV6_BYTES + icmpBytes));
}
