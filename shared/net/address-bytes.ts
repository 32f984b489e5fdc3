/**
 * Addresses as bytes in network order: 4 for IPv4, 16 for IPv6. Bytes sort as the addresses of a family do, in any
 * database. Families mix in this order; what must keep them apart looks at the length.
 */

import type { Address } from "./address.ts";
import { formatIpv4 } from "./ipv4.ts";
import { formatIpv6 } from "./ipv6.ts";

export function addressBytes(address: Address): Uint8Array {
  if (address.family === 4) {
    const { value } = address;
    return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, address.value >> 64n);
  view.setBigUint64(8, address.value & 0xffff_ffff_ffff_ffffn);
  return bytes;
}

/** @throws RangeError for any other number of bytes than 4 or 16 */
export function addressOfBytes(bytes: Uint8Array): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return { family: 4, value: view.getUint32(0) };
  if (bytes.length === 16) {
    return { family: 6, value: (view.getBigUint64(0) << 64n) | view.getBigUint64(8) };
  }
  throw new RangeError(`${bytes.length} bytes are no address`);
}

/** Canonical text. */
export function formatAddressBytes(bytes: Uint8Array): string {
  const address = addressOfBytes(bytes);
  return address.family === 4 ? formatIpv4(address.value) : formatIpv6(address.value);
}

/** Below, at or above 0 as `a` comes before, is, or comes after `b`; of two that begin alike the shorter comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
