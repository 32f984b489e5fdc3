/**
 * Requests of the Internet Key Exchange: version 1 (RFC 2408, RFC 2409) and 2 (RFC 7296), on port 500 and, behind the four
 * zeros that tell them from ESP (RFC 3948 §2.2), on port 4500. Answers begin with the initiator's SPI, which is ours.
 */

import { bytesOf, filler, repeats32, u16, u32, type UdpPayload, withCookie, zeros } from "./payload.ts";

const PORT = 500;
const PORT_BEHIND_NAT = 4_500;
const NON_ESP_MARKER = zeros(4);

/** The fixed header, with the cookie as the first half of our SPI, and the payloads behind it. */
function message(
  firstPayload: number,
  version: number,
  exchange: number,
  flags: number,
  body: Uint8Array,
): Uint8Array {
  const spis = [...filler(8), ...zeros(8)];
  return bytesOf(spis, [firstPayload, version, exchange, flags], u32(0), u32(28 + body.length), body);
}

/** A payload or substructure: what comes next, its length, its content. */
function part(next: number, ...content: readonly (number | Iterable<number>)[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf([next, 0], u16(body.length + 4), body);
}

/** Cipher, key bits (0 where fixed), hash, group: RFC 2409 appendix A. Authentication is by pre-shared key. */
const V1_TRANSFORMS: readonly (readonly [number, number, number, number])[] = [
  [7, 256, 2, 14],
  [7, 128, 2, 2],
  [5, 0, 2, 2],
  [5, 0, 1, 2],
];

/** Main mode, first message: one proposal of several transforms. */
function ikeV1(): Uint8Array {
  const attribute = (type: number, value: number): readonly number[] => [
    ...u16(0x8000 | type),
    ...u16(value),
  ];
  const transforms = V1_TRANSFORMS.map(([cipher, keyBits, hash, group], i) =>
    part(
      i === V1_TRANSFORMS.length - 1 ? 0 : 3,
      [i + 1, 1, 0, 0],
      attribute(1, cipher),
      keyBits === 0 ? [] : attribute(14, keyBits),
      attribute(2, hash),
      attribute(3, 1),
      attribute(4, group),
      attribute(11, 1),
      attribute(12, 28_800),
    ),
  );
  const proposal = part(0, [1, 1, 0, transforms.length], ...transforms);
  return message(1, 0x10, 2, 0, part(0, u32(1), u32(1), proposal));
}

/** Type and number of what is offered (RFC 7296 §3.3.2); ciphers also tell their key's bits. */
const V2_TRANSFORMS: readonly (readonly [number, number, number])[] = [
  [1, 12, 256],
  [1, 12, 128],
  [2, 5, 0],
  [2, 2, 0],
  [3, 12, 0],
  [3, 2, 0],
  [4, 14, 0],
];

/** IKE_SA_INIT. A responder that wants another group says so, which is an answer too. */
function ikeV2(): Uint8Array {
  const transforms = V2_TRANSFORMS.map(([type, id, keyBits], i) =>
    part(
      i === V2_TRANSFORMS.length - 1 ? 0 : 3,
      [type, 0],
      u16(id),
      keyBits === 0 ? [] : [...u16(0x800e), ...u16(keyBits)],
    ),
  );
  const proposal = part(0, [1, 1, 0, transforms.length], ...transforms);
  const keyExchange = part(40, u16(14), u16(0), filler(256));
  const nonce = part(0, filler(32));
  return message(33, 0x20, 34, 8, bytesOf(part(34, proposal), keyExchange, nonce));
}

function onBothPorts(name: string, bytes: Uint8Array): readonly UdpPayload[] {
  const marked = bytesOf(NON_ESP_MARKER, bytes);
  return [
    withCookie(name, [PORT], bytes, 0, 4, repeats32(0)),
    withCookie(`${name}-nat`, [PORT_BEHIND_NAT], marked, 4, 4, repeats32(4)),
  ];
}

export const ikePayloads = (): readonly UdpPayload[] => [
  ...onBothPorts("ike-v1", ikeV1()),
  ...onBothPorts("ike-v2", ikeV2()),
];
