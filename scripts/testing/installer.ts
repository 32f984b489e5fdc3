/** What the tests of install.sh have in common. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect } from "bun:test";
import { REPOSITORY } from "./requirements.ts";
import type { Outcome } from "./run.ts";

export const SCRIPT = join(REPOSITORY, "install.sh");
export const INSTALL = `sh '${SCRIPT}'`;
/** Shaped like a token; nobody issued it. */
export const WRONG_TOKEN = `ptl_prov_${"x".repeat(43)}`;
export const AS_NOBODY = "setpriv --reuid=65534 --regid=65534 --clear-groups";

/** A failure is told in one line, and nothing else is. */
export function complaint({ stderr }: Outcome): string {
  const lines = stderr.trimEnd().split("\n");
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

export function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
