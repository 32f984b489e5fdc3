/** As much of ASN.1's BER (ITU-T X.690) as the requests and the checks of their answers need. */

import { bytesOf } from "./payload.ts";

export const INTEGER = 0x02;
export const OCTET_STRING = 0x04;
export const SEQUENCE = 0x30;

/** Tag, length, content. Lengths up to 65,535. */
export function tlv(tag: number, ...content: readonly (number | string | Iterable<number>)[]): Uint8Array {
  const body = bytesOf(...content);
  return bytesOf(tag, lengthOf(body.length), body);
}

function lengthOf(count: number): readonly number[] {
  if (count < 0x80) return [count];
  return count < 0x100 ? [0x81, count] : [0x82, count >>> 8, count & 0xff];
}

/**
 * The place of the content of the element at `at`, which must have this tag and end before `end`; -1 where it does not.
 * An element that a negative place is passed for has none either, so that steps can be chained.
 */
export function enter(view: DataView, at: number, end: number, tag: number): number {
  if (at < 0 || end - at < 2 || view.getUint8(at) !== tag) return -1;
  const first = view.getUint8(at + 1);
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const content = at + 2 + lengthBytes;
  if (first === 0x80 || lengthBytes > 2 || content > end) return -1;
  return content + contentLength(view, at) > end ? -1 : content;
}

/** The place behind the element at `at`, under the conditions of `enter`. */
export function skip(view: DataView, at: number, end: number, tag: number): number {
  const content = enter(view, at, end, tag);
  return content < 0 ? -1 : content + contentLength(view, at);
}

/** Only for an element whose header was checked. */
function contentLength(view: DataView, at: number): number {
  const first = view.getUint8(at + 1);
  if (first < 0x80) return first;
  return first === 0x81 ? view.getUint8(at + 2) : view.getUint16(at + 2);
}

/**
 * Identifiers of four bytes that carry two bytes of cookie in the middle. What stands around them keeps the number
 * positive and in its shortest form whatever the cookie is.
 */
export const COOKIE_INTEGER: readonly number[] = [INTEGER, 4, 0x50, 0, 0, 1];
/** Place of the cookie in it. */
export const COOKIE_IN_INTEGER = 3;

/** Whether the element at `at` is COOKIE_INTEGER with this cookie. */
export function isCookieInteger(view: DataView, at: number, end: number, cookie: number): boolean {
  const content = enter(view, at, end, INTEGER);
  return content >= 0 && skip(view, at, end, INTEGER) === content + 4
    ? view.getUint16(content + 1) === (cookie & 0xffff)
    : false;
}
