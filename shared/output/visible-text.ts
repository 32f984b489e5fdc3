/**
 * Text from the network as people and other programs may be shown it. A banner or a name can hold anything: terminal
 * commands, line breaks that forge a second result, letters that turn the reading direction round.
 */

/** Control and format characters, line and paragraph separators, halves of surrogate pairs, and what is no character. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Noncharacter_Code_Point}]/gu;

/** Each unsafe character as `\x1B` or `\u{202E}`; the rest as it is. The result is one line. */
export function visibleText(text: string): string {
  return text.replaceAll(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    const hex = code.toString(16).toUpperCase();
    return code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`;
  });
}

/** JSON on one line, with what terminals obey written as escapes. Reads back as the same value. */
export function visibleJson(value: unknown): string {
  // JSON.stringify escapes the controls below 0x20 and lone surrogates, not these.
  return JSON.stringify(value).replaceAll(/[\u007F-\u009F\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
