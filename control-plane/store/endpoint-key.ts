/**
 * Endpoints as the database has them: a vantage point, an address as bytes, protocol and port as numbers. So keys are
 * small and sort alike in both databases, and their order is the order of pages, of comparisons and of exports.
 */

import { addressBytes, compareBytes } from "#shared/net/address-bytes.ts";
import { parseAddress } from "#shared/net/address.ts";
import type { TransportProtocol } from "#shared/protocol/fields.ts";
import type { PortState } from "#shared/protocol/port-state.ts";

/** The numbers that IP has for them. */
export const PROTOCOL_CODES = { tcp: 6, udp: 17 } as const satisfies Record<TransportProtocol, number>;
export type ProtocolCode = (typeof PROTOCOL_CODES)[TransportProtocol];

/** The larger, the more was seen: of two looks at the same time the larger counts. */
export const STATE_CODES = { filtered: 1, closed: 2, open: 3 } as const satisfies Record<PortState, number>;
export type StateCode = (typeof STATE_CODES)[PortState];

export function protocolOf(code: ProtocolCode): TransportProtocol {
  return code === PROTOCOL_CODES.tcp ? "tcp" : "udp";
}

export function stateOf(code: StateCode): PortState {
  if (code === STATE_CODES.open) return "open";
  return code === STATE_CODES.closed ? "closed" : "filtered";
}

/** A port of an address. */
export interface PortKey {
  readonly address: Uint8Array;
  readonly protocol: ProtocolCode;
  readonly port: number;
}

/** The same, as seen from somewhere. */
export interface EndpointKey extends PortKey {
  readonly vantage_id: number;
}

export function comparePorts(a: PortKey, b: PortKey): number {
  return compareBytes(a.address, b.address) || a.protocol - b.protocol || a.port - b.port;
}

export function compareEndpoints(a: EndpointKey, b: EndpointKey): number {
  return a.vantage_id - b.vantage_id || comparePorts(a, b);
}

const KEY_TEXT = /^(\d{1,15})\.([0-9a-f]{8}|[0-9a-f]{32})\.(6|17)\.(\d{1,5})$/;

/** The text of a key: the cursor of a page that ends with it. */
export function formatKey({ vantage_id, address, protocol, port }: EndpointKey): string {
  return `${vantage_id}.${hex(address)}.${protocol}.${port}`;
}

/** The key of such a text; undefined for any other. */
export function parseKey(text: string): EndpointKey | undefined {
  const [, vantage, address, protocol, port] = KEY_TEXT.exec(text) ?? [];
  if (vantage === undefined || address === undefined || port === undefined) return undefined;
  return {
    vantage_id: Number(vantage),
    address: Uint8Array.from(Buffer.from(address, "hex")),
    protocol: protocol === "6" ? PROTOCOL_CODES.tcp : PROTOCOL_CODES.udp,
    port: Number(port),
  };
}

export function hex(address: Uint8Array): string {
  return Buffer.from(address.buffer, address.byteOffset, address.byteLength).toString("hex");
}

/** The bytes of an address that was checked to be one. */
export function bytesOf(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`'${text}' is no address`);
  return addressBytes(address);
}
