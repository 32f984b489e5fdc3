/** Requests to telephony and conversation: SIP, STUN, IAX2, TeamSpeak. */

import {
  bytesOf,
  filler,
  plain,
  repeats32,
  u16,
  u32,
  type UdpPayload,
  withCookie,
  zeros,
} from "./payload.ts";

/** RFC 3261 §11, to be answered where it came from (RFC 3581). */
const SIP_OPTIONS = [
  "OPTIONS sip:portolan@portolan.invalid SIP/2.0",
  "Via: SIP/2.0/UDP portolan.invalid;branch=z9hG4bKportolan;rport",
  "Max-Forwards: 70",
  "From: <sip:portolan@portolan.invalid>;tag=portolan",
  "To: <sip:portolan@portolan.invalid>",
  "Call-ID: portolan@portolan.invalid",
  "CSeq: 1 OPTIONS",
  "Contact: <sip:portolan@portolan.invalid>",
  "Accept: application/sdp",
  "Content-Length: 0",
  "",
  "",
].join("\r\n");

export const voicePayloads = (): readonly UdpPayload[] => [
  plain("sip-options", [5_060], bytesOf(SIP_OPTIONS)),
  // RFC 8489 §5: a binding request; the transaction comes back.
  withCookie(
    "stun-binding",
    [3_478],
    bytesOf(u16(1), u16(0), u32(0x2112_a442), filler(12)),
    8,
    4,
    repeats32(8),
  ),
  // RFC 5456 §6.7.1: POKE asks whether anybody is there, outside of any call.
  plain("iax2-poke", [4_569], bytesOf(u16(0x8001), u16(0), u32(1), [0, 0, 6, 30])),
  // ReSpeak's description of the protocol, §2.5.1 "Low-level initiation": step 0.
  plain(
    "teamspeak-init",
    [9_987],
    bytesOf("TS3INIT1", u16(101), u16(0), 0x88, u32(0x0998_3000), 0, u32(0), filler(4), zeros(8)),
  ),
];
