/** Addresses in netlink messages: four or sixteen bytes in network order, by the kernel's number of the family. */

import { AF_INET, AF_INET6 } from "../../ffi/constants.ts";
import type { AddressFamily, AddressWords } from "../targets/address-words.ts";

export function familyOf(addressFamily: number): AddressFamily | undefined {
  if (addressFamily === AF_INET) return 4;
  return addressFamily === AF_INET6 ? 6 : undefined;
}

export function bytesOf(family: AddressFamily): number {
  return family === 4 ? 4 : 16;
}

export function readWords(view: DataView, at: number, family: AddressFamily): AddressWords {
  if (family === 4) return [0, 0, 0, view.getInt32(at)];
  return [view.getInt32(at), view.getInt32(at + 4), view.getInt32(at + 8), view.getInt32(at + 12)];
}

export function bytesOfWords(family: AddressFamily, words: AddressWords): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  words.forEach((word, i) => view.setInt32(i * 4, word));
  return family === 4 ? bytes.subarray(12) : bytes;
}
