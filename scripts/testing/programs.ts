/** What ships is what is tested: both compiled programs and the install script. The programs must have been built. */

import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "../..");

/** @throws Error with the line that builds it */
function built(name: string): string {
  const path = join(ROOT, "dist", name);
  if (!existsSync(path)) throw new Error(`${path} is not built; run: bun run build`);
  return path;
}

export const AGENT = built("portolan-agent");
export const CONTROL = built("portolan-control");
export const INSTALL_SCRIPT = join(ROOT, "install.sh");
