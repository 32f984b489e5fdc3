/**
 * A copy of a SQLite database while others read and write it: what was committed when the copy began, no more, no less.
 * Nobody waits for it. The copy appears under its name only when it is whole and on the disk.
 */

import { Database } from "bun:sqlite";
import { randomUUID } from "node:crypto";
import { type FileHandle, link, open, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import { SQLITE_BUSY_TIMEOUT_MS } from "./sqlite.ts";

export interface Backup {
  readonly bytes: number;
}

/**
 * @param databasePath the file that a server may be using
 * @param file must not be there
 * @throws UsageError when there is no such database, or the file is there already; PortolanError BACKUP_FAILED
 */
export async function backUpSqlite(databasePath: string, file: string): Promise<Backup> {
  if (!(await exists(databasePath))) throw new UsageError("USAGE", `there is no database ${databasePath}`);
  if (await exists(file)) throw alreadyThere(file);
  const unfinished = `${file}.${randomUUID()}.partial`;
  try {
    // Made by us, or SQLite would make it readable for all.
    await (await open(unfinished, "wx", 0o600)).close();
    copyInto(databasePath, unfinished);
    const bytes = await flush(unfinished);
    // Unlike a rename, a link never takes the place of a file that has come in the meantime.
    await link(unfinished, file);
    await flushDirectory(dirname(file));
    return { bytes };
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") throw alreadyThere(file);
    throw new PortolanError("BACKUP_FAILED", `cannot back up to ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  } finally {
    await rm(unfinished, { force: true });
  }
}

function copyInto(databasePath: string, copy: string): void {
  using database = new Database(databasePath, { readwrite: true, create: false, strict: true });
  database.run(`pragma busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
  database.run("vacuum into ?", [copy]);
  using check = new Database(copy, { readonly: true });
  const [row] = check.query<{ quick_check: string }, []>("pragma quick_check(1)").all();
  if (row?.quick_check !== "ok") throw new Error(`the copy is damaged: ${row?.quick_check}`);
}

/** Returns its size. */
async function flush(path: string): Promise<number> {
  await using handle: FileHandle = await open(path, "r+");
  await handle.sync();
  return (await handle.stat()).size;
}

async function flushDirectory(path: string): Promise<void> {
  await using handle: FileHandle = await open(path, "r");
  await handle.sync();
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function alreadyThere(file: string): UsageError {
  return new UsageError(
    "USAGE",
    `${file} is there already, and a backup overwrites nothing; name another file`,
  );
}
