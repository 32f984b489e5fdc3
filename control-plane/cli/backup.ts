/** `backup FILE`: a copy of the database of a server, which may be running. */

import { Command } from "commander";
import { UsageError } from "#shared/errors.ts";
import { backUpSqlite } from "../store/backup.ts";
import { parseDatabaseUrl } from "../store/database-url.ts";
import type { CliContext } from "./context.ts";
import { databaseUrl, defaultDataDirectory } from "./data-directory.ts";

interface BackupOptions {
  readonly dataDir?: string;
  readonly databaseUrl?: string;
}

export function backupCommand(context: CliContext): Command {
  return new Command("backup")
    .description("copy the SQLite database to a new file, while the server runs")
    .argument("<file>", "where to, a file that is not there yet")
    .option("--data-dir <directory>", "the server's data directory")
    .option(
      "--database-url <url>",
      "the server's database (env DATABASE_URL; default SQLite in the data directory)",
    )
    .action(async (file: string, options: BackupOptions) => {
      const directory = options.dataDir ?? defaultDataDirectory(context);
      const address = parseDatabaseUrl(databaseUrl(context, options.databaseUrl, directory));
      if (address.kind === "postgres") {
        throw new UsageError(
          "USAGE",
          "PostgreSQL brings its own: pg_dump --format=custom --file=FILE URL, or pg_basebackup for the whole server",
        );
      }
      if (address.path === ":memory:")
        throw new UsageError("USAGE", "a database in memory cannot be backed up");
      const { bytes } = await backUpSqlite(address.path, file);
      context.print(`Backed up ${address.path} to ${file}, ${bytes} bytes`);
    });
}
