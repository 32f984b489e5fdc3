/** The admin token that the first start of an empty database makes, and the file that keeps it. */

import { open, rm } from "node:fs/promises";
import { UsageError } from "#shared/errors.ts";
import type { Operators } from "../services/operators.ts";

/**
 * Either both come to be, the token in the database and the file with mode 0600, or neither.
 * @returns the token, or undefined where the database has tokens already
 * @throws UsageError when another token lies there: it may be the only one that opens another database
 */
export async function createAdminToken(operators: Operators, file: string): Promise<string | undefined> {
  let isOurs = false;
  try {
    return await operators.createFirst(async (token) => {
      await using handle = await open(file, "wx", 0o600);
      isOurs = true;
      await handle.writeFile(`${token}\n`);
    });
  } catch (error) {
    if (isOurs) await rm(file, { force: true });
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    throw new UsageError(
      "ADMIN_TOKEN_EXISTS",
      `the database is new, but ${file} holds the token of another: move that file away, or give the --database-url it belongs to`,
    );
  }
}
