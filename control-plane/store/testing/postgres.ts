/**
 * A private PostgreSQL for the tests of this process: started at first use on a Unix socket in a temporary directory,
 * stopped and deleted when the process ends. Never looks for a server that is there already.
 */

import { chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

const DEBIAN_ROOT = "/usr/lib/postgresql";
const START_ATTEMPTS = 300;
const ATTEMPT_INTERVAL_MS = 50;
const NOT_INSTALLED = "PostgreSQL is not installed; these tests need it: apt-get install -y postgresql";

/**
 * Starts the server, waits for the end of its own input, which comes when this process ends in whatever way, then
 * stops the server at once and throws the data away. Test runners do not run exit handlers.
 */
const KEEPER = `trap "" INT; "$@" & server=$!; cat > /dev/null; kill -QUIT "$server"; wait "$server"; rm -rf "$0"`;

let running: Promise<string> | undefined;
/** Held, so that its input stays open. */
let keeper: Bun.Subprocess<"pipe", "ignore", "ignore"> | undefined;
let databases = 0;

/** The URL of a new, empty database. @throws Error with the line to run when PostgreSQL is not installed */
export async function createPostgresDatabase(): Promise<string> {
  running ??= startServer();
  const directory = await running;
  const name = `test_${++databases}`;
  await runStatement(directory, `create database ${name}`);
  return urlOf(directory, name);
}

function urlOf(directory: string, database: string): string {
  return `postgres://postgres@localhost/${database}?host=${encodeURIComponent(directory)}`;
}

async function runStatement(directory: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: urlOf(directory, "postgres") });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** Returns the directory of data and socket. */
async function startServer(): Promise<string> {
  const binaries = findBinaries();
  const directory = mkdtempSync(join(tmpdir(), "portolan-postgres-"));
  const owner = serverUser(directory);
  const data = join(directory, "data");

  const initialised = Bun.spawnSync(
    [
      ...owner,
      join(binaries, "initdb"),
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      "-E",
      "UTF8",
      "--no-sync",
    ],
    { stdout: "ignore", stderr: "pipe", cwd: directory },
  );
  if (!initialised.success) throw new Error(`initdb failed: ${initialised.stderr.toString()}`);

  const settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"];
  const command = [...owner, join(binaries, "postgres"), "-D", data, "-k", directory, "-h", ""];
  keeper = Bun.spawn(
    ["sh", "-c", KEEPER, directory, ...command, ...settings.flatMap((setting) => ["-c", setting])],
    { stdin: "pipe", stdout: "ignore", stderr: "ignore", cwd: directory },
  );
  keeper.unref();
  await waitUntilReady(directory);
  return directory;
}

function findBinaries(): string {
  const versions = existsSync(DEBIAN_ROOT) ? readdirSync(DEBIAN_ROOT) : [];
  const newest = versions
    .toSorted((a, b) => Number(b) - Number(a))
    .map((version) => join(DEBIAN_ROOT, version, "bin"));
  const binaries = newest.find(
    (path) => existsSync(join(path, "initdb")) && existsSync(join(path, "postgres")),
  );
  if (binaries === undefined) throw new Error(NOT_INSTALLED);
  return binaries;
}

/** PostgreSQL refuses to run as root: then it gets the user of its package. Either way it ends with this process. */
function serverUser(directory: string): string[] {
  const untilWeEnd = ["setpriv", "--pdeathsig", "QUIT"];
  if (process.getuid?.() !== 0) return untilWeEnd;
  const { stdout } = Bun.spawnSync(["id", "-u", "postgres"]);
  const { stdout: group } = Bun.spawnSync(["id", "-g", "postgres"]);
  const uid = Number(stdout.toString());
  const gid = Number(group.toString());
  if (!(uid > 0 && gid > 0)) throw new Error(NOT_INSTALLED);
  chownSync(directory, uid, gid);
  return [...untilWeEnd, "--reuid", String(uid), "--regid", String(gid), "--clear-groups"];
}

async function waitUntilReady(directory: string): Promise<void> {
  let last: unknown;
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
    try {
      await runStatement(directory, "select 1");
      return;
    } catch (error) {
      last = error;
      await Bun.sleep(ATTEMPT_INTERVAL_MS);
    }
  }
  throw new Error("PostgreSQL did not start", { cause: last });
}
