import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { openStore, readClock } from "./store.ts";
import { createPostgresDatabase } from "./testing/postgres.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

async function insertToken(session: Parameters<typeof readClock>[0], name: string): Promise<void> {
  await session.db
    .insertInto("operator_tokens")
    .values({
      name,
      token_hash: name,
      role: "viewer",
      created_by: "test",
      created_at: session.dialect.nowMs(),
    })
    .execute();
}

describeOnBothDatabases("a store", (openTestStore) => {
  test("tells the database's time in whole milliseconds, and a test may shift it", async () => {
    const store = await openTestStore();
    const before = await store.run(readClock);
    expect(Number.isSafeInteger(before)).toBe(true);
    store.dialect.shiftClock(3_600_000);
    const after = await store.run(readClock);
    expect(after - before).toBeGreaterThanOrEqual(3_600_000);
  });

  test("reads 64-bit integers and counts as numbers", async () => {
    const store = await openTestStore();
    const { rows } = await store.run(({ db }) =>
      sql<{ large: number; count: number }>`
        select cast(9007199254740991 as bigint) as large, count(*) as count from scans`.execute(db),
    );
    expect(rows).toEqual([{ large: Number.MAX_SAFE_INTEGER, count: 0 }]);
  });

  test("keeps nothing of a transaction that fails", async () => {
    const store = await openTestStore();
    const failing = store.transaction(async (session) => {
      await insertToken(session, "lost");
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    const rows = await store.run(({ db }) => db.selectFrom("operator_tokens").selectAll().execute());
    expect(rows).toEqual([]);
  });

  test("never lets transactions interleave with each other or with other statements", async () => {
    const store = await openTestStore();
    await store.transaction((session) => insertToken(session, "0"));
    const increment = (): Promise<void> =>
      store.transaction(async ({ db, dialect }) => {
        const row = await dialect
          .lockRows(db.selectFrom("operator_tokens").select(["id", "name"]))
          .executeTakeFirstOrThrow();
        await Promise.resolve();
        await db
          .updateTable("operator_tokens")
          .set({ name: String(Number(row.name) + 1) })
          .where("id", "=", row.id)
          .execute();
      });
    const rolledBack = store
      .transaction(async (session) => {
        await insertToken(session, "never seen");
        await Promise.resolve();
        throw new Error("on purpose");
      })
      .catch(() => "failed");
    const seen = Array.from({ length: 20 }, () =>
      store.run(({ db }) => db.selectFrom("operator_tokens").select("name").execute()),
    );
    await Promise.all([...Array.from({ length: 20 }, increment), rolledBack]);
    for (const rows of await Promise.all(seen)) expect(rows).toHaveLength(1);
    const rows = await store.run(({ db }) => db.selectFrom("operator_tokens").select("name").execute());
    expect(rows).toEqual([{ name: "20" }]);
  });
});

describe("a database that cannot be reached", () => {
  test.each([
    ["PostgreSQL that does not listen", "postgres://nobody@127.0.0.1:1/none"],
    ["a SQLite file in a directory that is not there", "sqlite:/nonexistent/portolan.sqlite"],
  ])("is told as such: %s", async (_, url) => {
    const store = openStore(url);
    expect(await store.isReachable()).toBe(false);
    await expect(store.run(readClock)).rejects.toMatchObject({
      code: "DATABASE_UNAVAILABLE",
      retryable: true,
    });
    await expect(store.transaction(readClock)).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    await store.close();
  });
});

describe("a PostgreSQL that drops connections", () => {
  test("ends neither the process nor the store", async () => {
    const url = await createPostgresDatabase();
    const lost = Promise.withResolvers<Error>();
    const store = openStore(url, { onConnectionLost: lost.resolve });
    const other = openStore(url);
    await store.run(readClock);
    await other.run(({ db }) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`.execute(db),
    );
    expect(await lost.promise).toBeInstanceOf(Error);
    expect(await store.run(readClock)).toBeGreaterThan(0);
    await store.close();
    await other.close();
  });

  test("in the middle of a transaction is told as unavailable, and the next one goes through", async () => {
    const store = openStore(await createPostgresDatabase());
    const broken = store.transaction(({ db }) =>
      sql`select pg_terminate_backend(pg_backend_pid())`.execute(db),
    );
    await expect(broken).rejects.toMatchObject({ code: "DATABASE_UNAVAILABLE" });
    expect(await store.transaction(readClock)).toBeGreaterThan(0);
    await store.close();
  });
});

test("a SQLite file keeps what was written, and takes two processes' connections", async () => {
  const directory = mkdtempSync(join(tmpdir(), "portolan-sqlite-"));
  try {
    const path = join(directory, "test.sqlite");
    const writer = openStore(`sqlite:${path}`);
    const reader = openStore(`sqlite:${path}`);
    await writer.run(({ db }) => sql`create table kept (value integer)`.execute(db));
    await writer.transaction(({ db }) => sql`insert into kept values (7)`.execute(db));
    const { rows } = await reader.run(({ db }) => sql`select value from kept`.execute(db));
    expect(rows).toEqual([{ value: 7 }]);
    await writer.close();
    await reader.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
