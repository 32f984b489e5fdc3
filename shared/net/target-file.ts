/**
 * Files that list targets or exclusions: words of `target-token.ts` split by white space, commas and line ends.
 * `#` begins a comment anywhere; a line that begins with `;` or `//` is one, as masscan has it. So the lists that
 * nmap's -iL and --excludefile and masscan's --includefile and --excludefile take are read as they are.
 */

import { UsageError } from "../errors.ts";
import { endOfWord, isWhiteSpace, type TargetCollector } from "./target-collector.ts";

/** Of a word that goes on beyond what was read. No word that names anything is longer; a longer one is refused cut. */
const MAX_WORD_LENGTH = 1_024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const HASH = 0x23;
const COMMA = 0x2c;
const LINE_COMMENT = /(?:;|\/\/)/y;

/** Reads one file, in parts that may end anywhere: a long list is never in memory as a whole. */
export class TargetFileReader {
  private readonly collector: TargetCollector;
  private line = 1;
  /** Nothing but white space stands on the line so far. */
  private isLineStart = true;
  private isInComment = false;
  private isAfterReturn = false;
  /** A word at the end of the last part that may go on in the next. */
  private rest = "";

  /** @param collector takes the words */
  constructor(collector: TargetCollector) {
    this.collector = collector;
  }

  /** @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming the line and the word that is wrong */
  read(part: string): void {
    this.readText(this.rest + part, false);
  }

  /** Takes the last word. @throws UsageError as `read` */
  end(): void {
    this.readText(this.rest, true);
  }

  private readText(text: string, isLast: boolean): void {
    this.rest = "";
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === LINE_FEED || code === CARRIAGE_RETURN) {
        this.endLine(code);
        at++;
      } else if (this.isInComment) {
        at = endOfLine(text, at);
      } else if (code === HASH) {
        this.isInComment = true;
      } else if (code === COMMA) {
        this.isLineStart = false;
        at++;
      } else if (isWhiteSpace(code)) {
        at++;
      } else {
        const end = endOfWord(text, at, true);
        if (end === text.length && !isLast && end - at <= MAX_WORD_LENGTH) {
          this.rest = text.slice(at);
          return;
        }
        at = this.takeWord(text, at, end);
      }
      if (code !== LINE_FEED && code !== CARRIAGE_RETURN) this.isAfterReturn = false;
    }
  }

  /** A return with a line feed is one end. */
  private endLine(code: number): void {
    const isSecondHalf = code === LINE_FEED && this.isAfterReturn;
    if (!isSecondHalf) this.line++;
    this.isAfterReturn = code === CARRIAGE_RETURN;
    this.isLineStart = true;
    this.isInComment = false;
  }

  /** Returns from where to read on. */
  private takeWord(text: string, from: number, to: number): number {
    LINE_COMMENT.lastIndex = from;
    if (this.isLineStart && LINE_COMMENT.test(text)) {
      this.isInComment = true;
      return from;
    }
    this.isLineStart = false;
    try {
      this.collector.addWord(text, from, to);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(error.code, `line ${this.line}: ${error.message}`, {
        details: { ...error.details, line: this.line },
      });
    }
    return to;
  }
}

function endOfLine(text: string, at: number): number {
  let end = at;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === LINE_FEED || code === CARRIAGE_RETURN) break;
  }
  return end;
}
