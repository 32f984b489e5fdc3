/** What the tests of install.sh have in common. */

import { createHash } from "node:crypto";
import { expect } from "bun:test";
import type { Outcome } from "../processes/command.ts";
import { INSTALL_SCRIPT } from "./programs.ts";

/** As a line of shell, to which options may be added. */
export const INSTALL = `sh '${INSTALL_SCRIPT}'`;
/** Shaped like a token; nobody issued it. */
export const WRONG_TOKEN = `ptl_prov_${"x".repeat(43)}`;

/** A failure is told in one line, and nothing else is. */
export function complaint({ stderr }: Outcome): string {
  const lines = stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
