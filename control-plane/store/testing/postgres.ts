/**
 * A private PostgreSQL for tests and load: on a Unix socket in a temporary directory, stopped and deleted when this
 * process ends, in whatever way. Never looks for a server that is there already.
 */

import { chownSync, existsSync, mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";

const DEBIAN_ROOT = "/usr/lib/postgresql";
const START_ATTEMPTS = 600;
const ATTEMPT_INTERVAL_MS = 50;
const NOT_INSTALLED = "PostgreSQL is not installed; these tests need it: apt-get install -y postgresql";

/**
 * Runs the server until the end of its own input, which comes when this process ends; then stops the server at once and
 * throws the data away. Test runners do not run exit handlers. A line of input ends the server as a crash would, and
 * starts it again.
 */
const KEEPER = `trap "" INT
"$@" & server=$!
while read -r _; do kill -QUIT "$server"; wait "$server"; "$@" & server=$!; done
kill -QUIT "$server"; wait "$server"; rm -rf "$0"`;

const QUICK = ["fsync=off", "full_page_writes=off", "max_connections=200"];
/** Even a commit that was answered may be lost when the server is killed. */
const FORGETFUL = "synchronous_commit=off";

export interface PostgresOptions {
  /** What was committed is there after `crash`. Slower. */
  readonly keepsCommits?: boolean;
}

export class PostgresServer {
  private readonly directory: string;
  /** Held, so that its input stays open. */
  private readonly keeper: Bun.Subprocess<"pipe", "ignore", "ignore">;
  private databases = 0;

  private constructor(directory: string, keeper: Bun.Subprocess<"pipe", "ignore", "ignore">) {
    this.directory = directory;
    this.keeper = keeper;
  }

  /** @throws Error with the line to run when PostgreSQL is not installed */
  static async start({ keepsCommits = false }: PostgresOptions = {}): Promise<PostgresServer> {
    const binaries = findBinaries();
    const directory = mkdtempSync(join(tmpdir(), "portolan-postgres-"));
    const owner = serverUser(directory);
    const data = join(directory, "data");
    initialise([...owner, join(binaries, "initdb")], data, directory);
    const settings = keepsCommits ? QUICK : [...QUICK, FORGETFUL];
    const command = [...owner, join(binaries, "postgres"), "-D", data, "-k", directory, "-h", ""];
    const keeper = Bun.spawn(
      ["sh", "-c", KEEPER, directory, ...command, ...settings.flatMap((setting) => ["-c", setting])],
      { stdin: "pipe", stdout: "ignore", stderr: "ignore", cwd: directory },
    );
    keeper.unref();
    await waitUntilReady(directory);
    return new PostgresServer(directory, keeper);
  }

  /** The URL of a new, empty database. */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.databases}`;
    await runStatement(this.directory, `create database ${name}`);
    return urlOf(this.directory, name);
  }

  /** Breaks every connection in the middle of whatever it does, and comes back. */
  async crash(): Promise<void> {
    const before = await readStart(this.directory);
    this.keeper.stdin.write("crash\n");
    await this.keeper.stdin.flush();
    for (let attempt = 0; attempt < START_ATTEMPTS; attempt++) {
      const now = await readStart(this.directory).catch(() => before);
      if (now !== before) return;
      await Bun.sleep(ATTEMPT_INTERVAL_MS);
    }
    throw new Error("PostgreSQL did not come back");
  }

  async stop(): Promise<void> {
    await this.keeper.stdin.end();
    await this.keeper.exited;
  }
}

let shared: Promise<PostgresServer> | undefined;

/**
 * The URL of a new, empty database on the one server of this process, which is started at first use.
 * @throws Error with the line to run when PostgreSQL is not installed
 */
export async function createPostgresDatabase(): Promise<string> {
  shared ??= PostgresServer.start();
  return (await shared).createDatabase();
}

function urlOf(directory: string, database: string): string {
  return `postgres://postgres@localhost/${database}?host=${encodeURIComponent(directory)}`;
}

async function runStatement(directory: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: urlOf(directory, "postgres") });
  // A server that is killed tells the connection as well as the query.
  client.on("error", () => {});
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: statement, rowMode: "array" });
    return rows[0] ?? [];
  } finally {
    await client.end();
  }
}

/** When the server was started, which tells one life from the next. */
async function readStart(directory: string): Promise<string> {
  const [start] = await runStatement(directory, "select pg_postmaster_start_time()::text");
  return String(start);
}

function initialise(initdb: readonly string[], data: string, directory: string): void {
  const { success, stderr } = Bun.spawnSync(
    [...initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
    { stdout: "ignore", stderr: "pipe", cwd: directory },
  );
  if (!success) throw new Error(`initdb failed: ${stderr.toString()}`);
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
      await readStart(directory);
      return;
    } catch (error) {
      last = error;
      await Bun.sleep(ATTEMPT_INTERVAL_MS);
    }
  }
  throw new Error("PostgreSQL did not start", { cause: last });
}
