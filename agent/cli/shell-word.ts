/** Words as they can be pasted into a shell. */

const PLAIN = /^[\w@%+=:,./-]+$/;

/** The word itself where it is harmless, else in single quotes. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
