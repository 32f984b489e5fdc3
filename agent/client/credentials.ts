/** Who this agent is to its control plane: kept in the state directory, readable by its owner only. */

import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { open, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";

const credentialsSchema = z.object({
  server: z.string().min(1),
  scannerId: z.int().positive(),
  name: z.string(),
  apiKey: z.string().min(1),
});
export type Credentials = z.infer<typeof credentialsSchema>;

const CREDENTIALS_FILE = "credentials.json";
const INSTALL_ID_FILE = "install-id";

/** Undefined where this host was never enrolled. */
export function readCredentials(stateDir: string): Credentials | undefined {
  const path = join(stateDir, CREDENTIALS_FILE);
  if (!existsSync(path)) return undefined;
  try {
    return credentialsSchema.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new PortolanError("CREDENTIALS_BROKEN", `cannot use ${path}; enroll this host again`, { cause });
  }
}

export async function writeCredentials(stateDir: string, credentials: Credentials): Promise<void> {
  await writePrivate(stateDir, CREDENTIALS_FILE, `${JSON.stringify(credentials, undefined, 2)}\n`);
}

/** Made once and kept, so that a registration whose answer was lost can be repeated. */
export async function installId(stateDir: string): Promise<string> {
  const path = join(stateDir, INSTALL_ID_FILE);
  if (existsSync(path)) {
    const id = z.uuid().safeParse(readFileSync(path, "utf8").trim());
    if (id.success) return id.data;
  }
  const id = crypto.randomUUID();
  await writePrivate(stateDir, INSTALL_ID_FILE, `${id}\n`);
  return id;
}

/** Whole or not at all: written beside, synced, then renamed into place. */
async function writePrivate(directory: string, name: string, text: string): Promise<void> {
  const path = join(directory, name);
  const temporary = `${path}.${process.pid}.new`;
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const file = await open(temporary, "w", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(temporary, path);
  } catch (cause) {
    // It may never have been made; that must not hide the cause.
    await rm(temporary, { force: true }).catch(() => undefined);
    throw new UsageError("STATE_NOT_WRITABLE", `cannot write ${path}: ${errorMessage(cause)}`, { cause });
  }
}
