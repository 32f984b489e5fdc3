/**
 * Files that list targets or exclusions: words of `target-spec.ts` split by white space, commas and line ends.
 * `#` begins a comment anywhere; a line that begins with `;` or `//` is one, as masscan has it. So the lists that
 * nmap's -iL and --excludefile and masscan's --includefile and --excludefile take are read as they are.
 */

import { UsageError } from "../errors.ts";
import { type SpecificationUse, splitTargets, tokensOf } from "./target-spec.ts";

const BYTE_ORDER_MARK = "\ufeff";
const COMMENT = /#.*$|^\s*(?:;|\/\/).*$/;

/**
 * The words of the file, each an address form or a host name.
 * @throws UsageError INVALID_TARGET or SCOPE_TOO_LARGE naming the line and the word that is wrong
 */
export function parseTargetFile(text: string, use: SpecificationUse = "targets"): string[] {
  const lines = text.slice(text.startsWith(BYTE_ORDER_MARK) ? 1 : 0).split(/\r\n|\n|\r/);
  return lines.flatMap((line, index) => tokensOfLine(line.replace(COMMENT, ""), index + 1, use));
}

function tokensOfLine(line: string, lineNumber: number, use: SpecificationUse): string[] {
  const tokens = tokensOf([line]);
  try {
    splitTargets(tokens, use);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `line ${lineNumber}: ${error.message}`, {
      details: { ...error.details, line: lineNumber },
    });
  }
  return tokens;
}
