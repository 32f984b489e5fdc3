/**
 * IPv4 addresses as unsigned 32-bit numbers in host order: 10.0.0.1 is 0x0a000001.
 * Text is accepted in one form only, four decimal octets; `010.1` or `1.2` mean different things to different tools.
 */

export const IPV4_SPACE = 2 ** 32;

const ZERO = 0x30;
const NINE = 0x39;
const DOT = 0x2e;

/** The address as a number, or undefined where the text is no IPv4 address. */
export function parseIpv4(text: string): number | undefined {
  const value = readIpv4(text, 0, text.length);
  return value < 0 ? undefined : value;
}

/** The address that stands in `text` from `from` to before `to` as a number; -1 where that is none. Allocates nothing. */
export function readIpv4(text: string, from: number, to: number): number {
  let value = 0;
  let at = from;
  for (let octet = 0; octet < 4; octet++) {
    if (octet > 0 && (at >= to || text.charCodeAt(at++) !== DOT)) return -1;
    const start = at;
    let part = 0;
    for (; at < to && at < start + 3; at++) {
      const code = text.charCodeAt(at);
      if (code < ZERO || code > NINE) break;
      part = part * 10 + (code - ZERO);
    }
    const hasLeadingZero = at > start + 1 && text.charCodeAt(start) === ZERO;
    if (at === start || hasLeadingZero || part > 255) return -1;
    value = value * 256 + part;
  }
  return at === to ? value : -1;
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
