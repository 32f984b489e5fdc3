/** The Internet checksum (RFC 1071), for building packets once and patching them after. */

/** Adds the 16-bit big-endian words of `bytes[from, to)` to `sum`. An odd last byte counts as a high half. */
export function addWords(sum: number, bytes: Uint8Array, from: number, to: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let total = sum;
  let at = from;
  for (; at + 1 < to; at += 2) total += view.getUint16(at);
  if (at < to) total += view.getUint8(at) << 8;
  return total;
}

/** Folds the carries in and complements. Right for any sum of up to 2³¹. */
export function finishChecksum(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return ~folded & 0xffff;
}
