/** Requests that begin a tunnel or a secured connection: L2TP, OpenVPN, DTLS, QUIC, GTP. IKE has a file of its own. */

import {
  bytesOf,
  filler,
  plain,
  repeats16,
  u16,
  u32,
  type UdpPayload,
  withCookie,
  zeros,
} from "./payload.ts";

/** An attribute of L2TP that must be understood (RFC 2661 §4.1). */
function l2tpAttribute(type: number, value: string | Iterable<number>): Uint8Array {
  const bytes = bytesOf(value);
  return bytesOf(u16(0x8000 | (bytes.length + 6)), u16(0), u16(type), bytes);
}

/** RFC 2661 §6.1: a request to open a control connection. Answers go to the tunnel identifier that it assigns. */
function l2tpRequest(): UdpPayload {
  const attributes = bytesOf(
    l2tpAttribute(0, u16(1)), // start of control connection
    l2tpAttribute(2, [1, 0]), // protocol 1.0
    l2tpAttribute(3, u32(3)), // synchronous and asynchronous framing
    l2tpAttribute(7, "portolan"),
    l2tpAttribute(9, [0, 0]), // assigned tunnel: the cookie
  );
  const bytes = bytesOf(u16(0xc802), u16(12 + attributes.length), zeros(8), attributes);
  return withCookie("l2tp-request", [1_701], bytes, bytes.length - 2, 2, repeats16(4));
}

/**
 * OpenVPN's wire protocol (draft-openvpn-wire-protocol §4): a hard reset with a session of our own. The server's reset
 * acknowledges it and so repeats that session: opcode, its session, count and list of acknowledgements, our session.
 */
function openVpnReset(): UdpPayload {
  const opcode = 7 << 3;
  const bytes = bytesOf(opcode, filler(8), 0, u32(0));
  return withCookie("openvpn-reset", [1_194], bytes, 2, 4, (view, at, length, cookie) => {
    if (length < 10) return false;
    const ourSession = 10 + view.getUint8(at + 9) * 4;
    return length >= ourSession + 5 && view.getInt32(at + ourSession + 1) === (cookie | 0);
  });
}

/** RFC 6347 §4.2: a ClientHello, which is answered with a HelloVerifyRequest, a ServerHello or an alert. */
function dtlsClientHello(): Uint8Array {
  const cipherSuites = [0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc0a8, 0x009c, 0x002f].flatMap(u16);
  const extensions = bytesOf(
    [0, 10, 0, 6, 0, 4], // supported groups: X25519, secp256r1
    u16(29),
    u16(23),
    [0, 11, 0, 2, 1, 0], // point formats: uncompressed
    [0, 13, 0, 8, 0, 6], // signatures: ECDSA, RSA-PSS and RSA with SHA-256
    u16(0x0403),
    u16(0x0804),
    u16(0x0401),
  );
  const hello = bytesOf(
    u16(0xfefd), // DTLS 1.2
    filler(32),
    0, // no session
    0, // no cookie
    u16(cipherSuites.length),
    cipherSuites,
    [1, 0], // no compression
    u16(extensions.length),
    extensions,
  );
  const length24 = [0, ...u16(hello.length)];
  const handshake = bytesOf(1, length24, u16(0), zeros(3), length24, hello);
  return bytesOf(22, u16(0xfeff), zeros(8), u16(handshake.length), handshake);
}

/** The least size that a server answers (RFC 9000 §14.1): smaller ones could be used to flood others. */
const QUIC_INITIAL_BYTES = 1_200;

/**
 * RFC 9000 §6 and §17.2.1: a version that nobody has (§15) is answered with those that there are. That answer is sent to
 * the connection identifier which we say is ours.
 */
function quicUnknownVersion(): UdpPayload {
  const head = bytesOf(0xc0, u32(0x1a2a_3a4a), 8, filler(8), 8, filler(8));
  const restBytes = QUIC_INITIAL_BYTES - head.length - 3;
  // No token, and the length of the rest, as an Initial packet of version 1 has them.
  const bytes = bytesOf(head, 0, u16(0x4000 | restBytes), zeros(restBytes));
  return withCookie("quic-version-negotiation", [443, 853], bytes, 16, 4, (view, at, length, cookie) => {
    if (length < 15 || view.getInt32(at + 1) !== 0 || view.getUint8(at + 5) !== 8) return false;
    return view.getInt32(at + 7) === (cookie | 0);
  });
}

export const tunnelPayloads = (): readonly UdpPayload[] => [
  l2tpRequest(),
  openVpnReset(),
  // CoAP and TURN over DTLS among them.
  plain("dtls-client-hello", [4_433, 5_349, 5_684], dtlsClientHello()),
  quicUnknownVersion(),
  // 3GPP TS 29.060 §7.2.1: an echo request with a sequence number, which comes back.
  withCookie(
    "gtp-echo",
    [2_123, 2_152],
    bytesOf([0x32, 1], u16(4), u32(0), u16(0), zeros(2)),
    8,
    2,
    repeats16(8),
  ),
];
