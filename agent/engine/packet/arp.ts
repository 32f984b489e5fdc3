/** ARP for IPv4 over Ethernet (RFC 826): the request that asks for a MAC address, and reading the answer. */

export const ARP_REQUEST_BYTES = 42;

const ETHERTYPE_ARP = 0x0806;
const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;
const REQUEST = 1;
export const ARP_REPLY = 2;

/** A broadcast request from `mac`; only the target address (at TARGET_AT) differs between requests. */
export function buildArpRequest(mac: Uint8Array, source: number): Uint8Array {
  const frame = new Uint8Array(ARP_REQUEST_BYTES);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  frame.set(mac, 6);
  view.setUint16(12, ETHERTYPE_ARP);
  view.setUint16(14, HARDWARE_ETHERNET);
  view.setUint16(16, PROTOCOL_IPV4);
  view.setUint8(18, 6);
  view.setUint8(19, 4);
  view.setUint16(20, REQUEST);
  frame.set(mac, 22);
  view.setUint32(28, source);
  return frame;
}

/** Offset of the asked-for address in a request. */
export const TARGET_AT = 38;

export interface ArpAnswer {
  readonly address: number;
  readonly macHigh: number;
  readonly macLow: number;
}

/** Reads an ARP packet without its Ethernet header. Undefined unless it is a reply that gives a usable address. */
export function parseArpReply(view: DataView, length: number): ArpAnswer | undefined {
  if (length < 28) return undefined;
  const fits =
    view.getUint16(0) === HARDWARE_ETHERNET &&
    view.getUint16(2) === PROTOCOL_IPV4 &&
    view.getUint8(4) === 6 &&
    view.getUint8(5) === 4 &&
    view.getUint16(6) === ARP_REPLY;
  if (!fits) return undefined;
  const macHigh = view.getUint16(8);
  const macLow = view.getInt32(10);
  // A group address is no host's own (IEEE 802: lowest bit of the first octet).
  if ((macHigh & 0x0100) !== 0 || (macHigh === 0 && macLow === 0)) return undefined;
  return { address: view.getUint32(14), macHigh, macLow };
}
