/**
 * IPv4 addresses as unsigned 32-bit numbers in host order: 10.0.0.1 is 0x0a000001.
 * Text is accepted in one form only, four decimal octets; `010.1` or `1.2` mean different things to different tools.
 */

export const IPV4_SPACE = 2 ** 32;

const OCTET = /^(?:0|[1-9]\d{0,2})$/;

/** The address as a number, or undefined where the text is no IPv4 address. */
export function parseIpv4(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!OCTET.test(octet)) return undefined;
    const part = Number(octet);
    if (part > 255) return undefined;
    value = value * 256 + part;
  }
  return value;
}

export function formatIpv4(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}
