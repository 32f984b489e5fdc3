/**
 * Reads an IPv4 or IPv6 header up to its transport header: RFC 791, RFC 8200 §4. Hostile input: every length is checked
 * before it is trusted, nothing throws, and what is odd is refused.
 */

export const PROTOCOL_ICMP = 1;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_ICMPV6 = 58;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const DESTINATION_OPTIONS = 60;

/** Each of the four once, and destination options a second time (RFC 8200 §4.1). */
const MAX_EXTENSION_HEADERS = 5;

/** Places are offsets into the view that was read. Reused, so that no packet costs an allocation. */
export interface IpHeader {
  family: number;
  protocol: number;
  ttl: number;
  sourceAt: number;
  destinationAt: number;
  /** May lie behind `end`, where the last header passes it: what is read there is checked against `end` anyway. */
  transportAt: number;
  /** First byte behind the packet's data. */
  end: number;
}

export function newIpHeader(): IpHeader {
  return { family: 0, protocol: 0, ttl: 0, sourceAt: 0, destinationAt: 0, transportAt: 0, end: 0 };
}

/**
 * Reads the header at `at` of a packet that has at most the bytes before `end`. False where there is none to trust.
 * @param quoted the packet is a quotation in an ICMP error: it may be cut, and its length field may have been altered
 */
export function readIpHeader(
  view: DataView,
  at: number,
  end: number,
  quoted: boolean,
  header: IpHeader,
): boolean {
  if (end - at < 20) return false;
  const version = view.getUint8(at) >>> 4;
  if (version === 4) return readIpv4(view, at, end, quoted, header);
  return version === 6 && readIpv6(view, at, end, quoted, header);
}

function readIpv4(view: DataView, at: number, end: number, quoted: boolean, header: IpHeader): boolean {
  const headerBytes = (view.getUint8(at) & 15) * 4;
  if (headerBytes < 20 || headerBytes > end - at) return false;
  const totalBytes = view.getUint16(at + 2);
  if (!quoted && (totalBytes < headerBytes || totalBytes > end - at)) return false;
  // A later fragment has no transport header to read.
  if ((view.getUint16(at + 6) & 0x1fff) !== 0) return false;
  header.family = 4;
  header.protocol = view.getUint8(at + 9);
  header.ttl = view.getUint8(at + 8);
  header.sourceAt = at + 12;
  header.destinationAt = at + 16;
  header.transportAt = at + headerBytes;
  header.end = quoted ? end : at + totalBytes;
  return true;
}

function readIpv6(view: DataView, at: number, end: number, quoted: boolean, header: IpHeader): boolean {
  if (end - at < 40) return false;
  const payloadBytes = view.getUint16(at + 4);
  if (!quoted && payloadBytes > end - at - 40) return false;
  const packetEnd = quoted ? end : at + 40 + payloadBytes;

  let next = view.getUint8(at + 6);
  let transportAt = at + 40;
  for (let headers = 0; isExtension(next); headers++) {
    if (headers === MAX_EXTENSION_HEADERS || packetEnd - transportAt < 8) return false;
    // It may stand first only.
    if (next === HOP_BY_HOP && headers > 0) return false;
    // A later fragment has no transport header to read. The last three bits are no part of the offset.
    if (next === FRAGMENT && view.getUint16(transportAt + 2) >>> 3 !== 0) return false;
    const headerBytes = next === FRAGMENT ? 8 : (view.getUint8(transportAt + 1) + 1) * 8;
    next = view.getUint8(transportAt);
    transportAt += headerBytes;
  }

  header.family = 6;
  header.protocol = next;
  header.ttl = view.getUint8(at + 7);
  header.sourceAt = at + 8;
  header.destinationAt = at + 24;
  header.transportAt = transportAt;
  header.end = packetEnd;
  return true;
}

function isExtension(protocol: number): boolean {
  return (
    protocol === HOP_BY_HOP ||
    protocol === ROUTING ||
    protocol === FRAGMENT ||
    protocol === DESTINATION_OPTIONS
  );
}
