/** Requests to time servers and to the small services of old: NTP (RFC 5905, RFC 9327), RFC 862 to 868. */

import {
  bytesOf,
  plain,
  repeats16,
  repeats32,
  type UdpPayload,
  u16,
  u32,
  withCookie,
  zeros,
} from "./payload.ts";

const NTP_CLIENT_V4 = 0x23;
const NTP_CONTROL_V2 = 0x16;
const READ_VARIABLES = 2;

export const timePayloads = (): readonly UdpPayload[] => [
  // All zero but the transmit timestamp (draft-ietf-ntp-data-minimization), which comes back as the originate timestamp.
  withCookie(
    "ntp-client",
    [123],
    bytesOf(NTP_CLIENT_V4, zeros(39), u32(0), u32(0x5054_4c4e)),
    40,
    4,
    repeats32(24),
  ),
  // The sequence number comes back.
  withCookie(
    "ntp-readvar",
    [123],
    bytesOf(NTP_CONTROL_V2, READ_VARIABLES, u16(0), zeros(8)),
    2,
    2,
    repeats16(2),
  ),
  withCookie("echo", [7], bytesOf(u32(0), "portolan"), 0, 4, repeats32(0)),
  // Daytime, quote of the day, character generator and time answer any datagram.
  plain("any-datagram", [13, 17, 19, 37], bytesOf("\r\n")),
];
