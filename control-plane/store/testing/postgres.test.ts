import { expect, test } from "bun:test";
import { Client } from "pg";
import { PostgresServer } from "./postgres.ts";

test("a server that crashes breaks its connections, comes back, and has what was committed", async () => {
  const server = await PostgresServer.start({ keepsCommits: true });
  const url = await server.createDatabase();
  const before = new Client({ connectionString: url });
  const broken = new Promise((resolve) => before.on("error", resolve));
  await before.connect();
  await before.query("create table kept as select 7 as value");
  await server.crash();
  expect(await broken).toBeInstanceOf(Error);
  const after = new Client({ connectionString: url });
  await after.connect();
  expect((await after.query("select value from kept")).rows).toEqual([{ value: 7 }]);
  await after.end();
  await server.stop();
  await expect(new Client({ connectionString: url }).connect()).rejects.toThrow();
}, 20_000);
