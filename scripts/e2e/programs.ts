/** The compiled programs under test. They must be there: what ships is what is tested. */

import { existsSync } from "node:fs";
import { join } from "node:path";

const DIST = join(import.meta.dir, "../../dist");

function built(name: string): string {
  const path = join(DIST, name);
  if (!existsSync(path)) throw new Error(`${path} is not built; run: bun run build`);
  return path;
}

export const AGENT = built("portolan-agent");
export const CONTROL = built("portolan-control");

/** For tests with real packets and real servers: a slow machine is no failure. */
export const E2E_TIMEOUT_MS = 120_000;
