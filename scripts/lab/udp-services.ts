/** What the lab's open UDP ports answer: as picky as the real services are, so that a probe has to fit. */

const DNS_PORT = 53;
const DNS_HEADER_BYTES = 12;
/** A response that refuses (RFC 1035, section 4.1.1): QR set, RCODE 5. */
const DNS_RESPONSE = 0x80;
const DNS_REFUSED = 5;

const NTP_PORT = 123;
const NTP_BYTES = 48;
/** Version 4, modes client and server (RFC 5905, section 7.3). */
const NTP_MODE_MASK = 7;
const NTP_CLIENT = 3;
const NTP_SERVER_V4 = 0x24;

/** @returns undefined where the service keeps silent */
export function udpAnswer(port: number, request: Uint8Array): Uint8Array | undefined {
  if (port === DNS_PORT) return dnsAnswer(request);
  if (port === NTP_PORT) return ntpAnswer(request);
  return new TextEncoder().encode("lab\n");
}

/** To whatever has a DNS header and is no response itself. */
function dnsAnswer(request: Uint8Array): Uint8Array | undefined {
  const flags = request[2] ?? 0;
  if (request.length < DNS_HEADER_BYTES || (flags & DNS_RESPONSE) !== 0) return undefined;
  const answer = request.slice();
  answer[2] = flags | DNS_RESPONSE;
  answer[3] = DNS_REFUSED;
  return answer;
}

/** To a client's request; its transmit time comes back as the origin time. */
function ntpAnswer(request: Uint8Array): Uint8Array | undefined {
  if (request.length < NTP_BYTES || ((request[0] ?? 0) & NTP_MODE_MASK) !== NTP_CLIENT) return undefined;
  const answer = new Uint8Array(NTP_BYTES);
  answer[0] = NTP_SERVER_V4;
  answer[1] = 1;
  answer.set(request.subarray(40, 48), 24);
  return answer;
}
