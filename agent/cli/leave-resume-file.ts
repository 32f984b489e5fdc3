/** What an interrupted scan leaves in the working directory, and what people are told of it. */

import { errorMessage } from "#shared/errors.ts";
import type { ResumePoint, ScanRequest } from "../engine/plan.ts";
import type { TunableFlags } from "./scan-flags.ts";
import { shellWord } from "./shell-word.ts";

/** @returns a line for people: the command that goes on, or why there is none */
export async function leaveResumeFile(
  request: ScanRequest,
  flags: TunableFlags,
  point: ResumePoint,
  nowMs: number,
): Promise<string> {
  // Loaded now, because few scans are interrupted and its schema takes a while.
  const { resumeFileName, writeResumeFile } = await import("./resume-file.ts");
  const path = resumeFileName(nowMs);
  try {
    await writeResumeFile(path, { scope: request, flags, point }, nowMs);
    return `to go on: portolan-agent scan --resume ${shellWord(path)}\n`;
  } catch (error) {
    // The scan is over and reported: what is lost is only the way to go on.
    return `note: no file to resume from could be written: ${errorMessage(error)}\n`;
  }
}
