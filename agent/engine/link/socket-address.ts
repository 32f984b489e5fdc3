/**
 * Socket addresses as the kernel reads them: sockaddr_in and sockaddr_in6 (netinet/in.h), sockaddr_ll
 * (linux/if_packet.h).
 */

import { AF_INET, AF_INET6, AF_PACKET } from "../../ffi/constants.ts";

export const SOCKADDR_IN_BYTES = 16;
export const SOCKADDR_IN6_BYTES = 28;
export const SOCKADDR_LL_BYTES = 20;

/** @param address host order; port 0 where it does not matter */
export function writeSockaddrIn(view: DataView, at: number, address: number, port: number): void {
  view.setUint16(at, AF_INET, true);
  view.setUint16(at + 2, port);
  view.setUint32(at + 4, address);
}

/**
 * Flow label and scope stay as they are: zero in fresh memory.
 * @param address where the sixteen bytes of the address are, at `addressAt`
 */
export function writeSockaddrIn6(
  view: DataView,
  at: number,
  address: DataView,
  addressAt: number,
  port = 0,
): void {
  view.setUint16(at, AF_INET6, true);
  view.setUint16(at + 2, port);
  for (let i = 0; i < 16; i += 4) view.setInt32(at + 8 + i, address.getInt32(addressAt + i));
}

/** @param interfaceIndex 0 means every interface; `etherType` is in host order */
export function writeSockaddrLl(view: DataView, at: number, etherType: number, interfaceIndex: number): void {
  view.setUint16(at, AF_PACKET, true);
  view.setUint16(at + 2, etherType);
  view.setInt32(at + 4, interfaceIndex, true);
  // Hardware type and packet type are the kernel's to fill in; an Ethernet address is six bytes long.
  view.setUint8(at + 11, 6);
}
