/** That the files of one command line do not spoil each other, before any is opened. */

import { resolve } from "node:path";
import { excerpt } from "#shared/net/excerpt.ts";
import { refuse } from "./option-values.ts";
import type { ScanFlags } from "./scan-flags.ts";

/**
 * Refuses to write two things into one file, and to write over what is read.
 * @throws UsageError naming both flags
 */
export function refuseSharedFiles(flags: ScanFlags): void {
  const written = [
    ["--output", flags.output],
    ["--summary", flags.summary],
    ["--pcap", flags.pcap],
  ] as const;
  const read = [
    ["--resume", flags.resume],
    ...(flags.targetsFile ?? []).map((path) => ["--targets-file", path] as const),
    ...(flags.excludeFile ?? []).map((path) => ["--exclude-file", path] as const),
  ] as const;
  const flagOf = new Map<string, string>();
  for (const [flag, path] of [...read, ...written]) {
    if (path === undefined) continue;
    if (path === "") refuse(`${flag} must be a file, not ''`);
    const place = resolve(path);
    const other = flagOf.get(place);
    const isWritten = written.some(([name]) => name === flag);
    // Devices are no files that could be spoilt.
    if (other !== undefined && isWritten && !place.startsWith("/dev/")) {
      refuse(`${flag} would write over the file of ${other}, '${excerpt(path)}'; give it another name`);
    }
    flagOf.set(place, flag);
  }
}
