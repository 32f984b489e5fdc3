import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { openStore, type Store } from "../store/store.ts";
import { runProgram, startServe } from "../testing/program.ts";

setDefaultTimeout(30_000);

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "portolan-backup-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

function backUp(...args: string[]): ReturnType<typeof runProgram> {
  return runProgram(["backup", `--data-dir=${directory}`, ...args], { HOME: directory });
}

function serve(...args: string[]): ReturnType<typeof startServe> {
  return startServe([`--data-dir=${directory}`, ...args], { HOME: directory });
}

test("a backup of a running server's database starts as a server, with what was in it", async () => {
  const server = await serve();
  const file = join(directory, "backup.sqlite");
  const { exitCode, stdout, stderr } = await backUp(file);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toMatch(/^Backed up \S+portolan\.sqlite to \S+backup\.sqlite, \d+ bytes\n$/);
  expect(await server.stop()).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  // The admin's token is in the copy: a server on an empty database would refuse to start beside the token's file.
  const restored = await serve(`--database-url=sqlite:${file}`);
  expect((await fetch(`${restored.url}/health`)).status).toBe(200);
  expect(await restored.stop()).toBe(0);
});

test("a backup under a writer holds whole transactions only, and the writer never waits for it", async () => {
  const path = join(directory, "portolan.sqlite");
  const store = openStore(`sqlite:${path}`);
  await store.run(({ db }) => sql`create table pairs (id integer primary key, value blob)`.execute(db));
  const stop = new AbortController();
  const writing = writePairs(store, stop.signal);
  for (let number = 1; number <= 3; number++) {
    const { exitCode, stderr } = await backUp(join(directory, `${number}.sqlite`));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  }
  stop.abort();
  const written = await writing;
  await store.close();
  let before = 0;
  for (let number = 1; number <= 3; number++) {
    using copy = new Database(join(directory, `${number}.sqlite`), { readonly: true });
    const { rows = 0, last = 0 } =
      copy
        .query<{ rows: number; last: number }, []>("select count(*) as rows, max(id) as last from pairs")
        .get() ?? {};
    expect(rows % 2).toBe(0);
    expect(rows).toBe(last);
    expect(rows).toBeGreaterThanOrEqual(before);
    before = rows;
  }
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThanOrEqual(written);
});

/** Two rows a transaction. Returns how many rows were written. */
async function writePairs(store: Store, signal: AbortSignal): Promise<number> {
  let written = 0;
  while (!signal.aborted) {
    await store.transaction(async ({ db }) => {
      await sql`insert into pairs (value) values (zeroblob(5000))`.execute(db);
      await sql`insert into pairs (value) values (zeroblob(5000))`.execute(db);
    });
    written += 2;
    await Bun.sleep(0);
  }
  return written;
}

test("a backup overwrites nothing and leaves nothing half done", async () => {
  const store = openStore(`sqlite:${join(directory, "portolan.sqlite")}`);
  await store.run(({ db }) => sql`create table t (id integer)`.execute(db));
  await store.close();
  const file = join(directory, "precious");
  writeFileSync(file, "precious");
  const there = await backUp(file);
  expect(there).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("is there already") });
  expect(await Bun.file(file).text()).toBe("precious");
  const nowhere = await backUp(join(directory, "missing", "backup.sqlite"));
  expect(nowhere).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("cannot back up to") });
  expect(readdirSync(directory).filter((name) => name.includes("partial"))).toEqual([]);
});

test.each([
  [[], "there is no database"],
  [["--database-url=postgres://user:secret@db/portolan"], "pg_dump"],
  [["--database-url=:memory:"], "in memory"],
])("a backup of what cannot be backed up by a file says so: %p", async (options, words) => {
  const { exitCode, stderr } = await backUp(join(directory, "backup.sqlite"), ...options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(words) });
  expect(stderr).not.toContain("secret");
});

test("a database that is none is not backed up", async () => {
  writeFileSync(
    join(directory, "portolan.sqlite"),
    "this is no database, but a text that is long enough for a page",
  );
  const { exitCode, stderr } = await backUp(join(directory, "backup.sqlite"));
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining("not a database") });
  expect(readdirSync(directory).filter((name) => name.startsWith("backup"))).toEqual([]);
});
