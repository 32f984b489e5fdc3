/**
 * Words that name targets, or what is to be left out, taken in one by one: addresses become ranges at once, so that a
 * list of a million words takes the memory of a million numbers. What one word may be: `target-token.ts`.
 */

import { UsageError } from "../errors.ts";
import type { BigRange } from "./address-ranges.ts";
import { AddressCollector, type AddressSet } from "./address-set.ts";
import { excerpt } from "./excerpt.ts";
import { isHostname } from "./hostname.ts";
import { readIpv4 } from "./ipv4.ts";
import { readIpv6 } from "./ipv6.ts";
import { invalidTarget, parseIpv4Token, parseIpv6Token } from "./target-token.ts";

/** More addresses than this are no list of targets. It is what a scan can number, with one port each. */
const MAX_ENUMERABLE_BITS = 48n;

/** fe80::/10 (RFC 4291 section 2.5.6): the same address is another host on every link. */
export const LINK_LOCAL: BigRange = { first: 0xfe80n << 112n, last: (0xfec0n << 112n) - 1n };

/** `exclusions` take addresses away, so they may be as large as one likes, and link-local. */
export type SpecificationUse = "targets" | "exclusions";

export interface SplitTargets {
  readonly addresses: AddressSet;
  /** In the order in which they were written, lower case, each once. */
  readonly hostnames: readonly string[];
}

export class TargetCollector {
  private readonly use: SpecificationUse;
  private readonly takesHostnames: boolean;
  private readonly addresses = new AddressCollector();
  private readonly hostnames = new Set<string>();
  private readonly groups = new Uint16Array(8);
  private readonly words = new Uint32Array(4);

  /** @param takesHostnames false refuses them */
  constructor(use: SpecificationUse, takesHostnames: boolean) {
    this.use = use;
    this.takesHostnames = takesHostnames;
  }

  /**
   * Every word of the text; they are split by commas and white space.
   * @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming the first word that is wrong
   */
  addText(text: string): void {
    let at = 0;
    while (at < text.length) {
      const end = endOfWord(text, at, false);
      if (end > at) this.addWord(text, at, end);
      at = end + 1;
    }
  }

  /**
   * The word that stands in `text` from `from` to before `to`.
   * @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming it
   */
  addWord(text: string, from: number, to: number): void {
    // What a long list is made of, without making a string of it.
    if (this.addSingle(text, from, to)) return;
    const word = text.slice(from, to);
    if (this.takesHostnames && isHostname(word)) {
      this.hostnames.add(word.toLowerCase());
    } else if (word.includes(":")) {
      const range = parseIpv6Token(word);
      if (this.use === "targets") requireEnumerable(word, range);
      this.addresses.v6.addIpv6(range.first, range.last);
    } else {
      for (const { first, last } of parseIpv4Token(word)) this.addresses.v4.addIpv4(first, last);
    }
  }

  /** All that was added. The collector is empty again. */
  take(): SplitTargets {
    const hostnames = [...this.hostnames];
    this.hostnames.clear();
    return { addresses: this.addresses.take(), hostnames };
  }

  /** False where the word is no single address, or one that needs a closer look. */
  private addSingle(text: string, from: number, to: number): boolean {
    const { addresses, groups, words } = this;
    const ipv4 = readIpv4(text, from, to);
    if (ipv4 >= 0) {
      addresses.v4.addIpv4(ipv4, ipv4);
      return true;
    }
    if (!readIpv6(text, from, to, groups)) return false;
    const isLinkLocal = (groups[0] ?? 0) >>> 6 === 0xfe80 >>> 6;
    if (isLinkLocal && this.use === "targets") return false;
    for (let word = 0; word < 4; word++) {
      words[word] = ((groups[word * 2] ?? 0) << 16) | (groups[word * 2 + 1] ?? 0);
    }
    addresses.v6.addWords(words, 0, words, 0);
    return true;
  }
}

const COMMA = 0x2c;
const HASH = 0x23;
const SPACE = 0x20;
const TAB = 0x09;
const CARRIAGE_RETURN = 0x0d;
const NOT_ASCII = /\s/;

/** White space as regular expressions have it. */
export function isWhiteSpace(code: number): boolean {
  if (code < 0x80) return code === SPACE || (code >= TAB && code <= CARRIAGE_RETURN);
  return NOT_ASCII.test(String.fromCharCode(code));
}

/** Where the word at `at` ends: at the next comma, white space or `#` where that begins a comment, or with the text. */
export function endOfWord(text: string, at: number, hasComments: boolean): number {
  let end = at;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === COMMA || (hasComments && code === HASH) || isWhiteSpace(code)) break;
  }
  return end;
}

function requireEnumerable(token: string, { first, last }: BigRange): void {
  if (first >= LINK_LOCAL.first && first <= LINK_LOCAL.last) {
    throw invalidTarget(
      token,
      "link-local addresses need a zone, which cannot be given; use the host's global or unique local address",
    );
  }
  if (last - first >= 1n << MAX_ENUMERABLE_BITS) {
    const shown = excerpt(token);
    throw new UsageError(
      "SCOPE_TOO_LARGE",
      `target '${shown}' holds more than 2^${MAX_ENUMERABLE_BITS} addresses, which cannot be tried one by one; ` +
        "name the addresses that may be in use, or networks of /80 and smaller",
      { details: { token: shown } },
    );
  }
}
