import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPostgresDatabase } from "../store/testing/postgres.ts";
import { startServe } from "../testing/program.ts";

setDefaultTimeout(60_000);

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "portolan-replicas-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

test("replicas that start at once on an empty PostgreSQL make its schema once, and one token", async () => {
  const databaseUrl = await createPostgresDatabase();
  const folders = ["1", "2", "3"].map((name) => join(directory, name));
  const servers = await Promise.all(
    folders.map((folder) =>
      startServe([`--data-dir=${folder}`, `--database-url=${databaseUrl}`], { HOME: directory }),
    ),
  );
  for (const { url } of servers) expect((await fetch(`${url}/health`)).status).toBe(200);
  expect(folders.filter((folder) => existsSync(join(folder, "admin-token")))).toHaveLength(1);
  for (const server of servers) expect(await server.stop()).toBe(0);
});
