import { describe, expect, test } from "bun:test";
import { openStore, readClock, type Store } from "./store.ts";
import { createPostgresDatabase } from "./testing/postgres.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

describeOnBothDatabases("exclusive work", (openTestStore) => {
  test("runs when nobody is at it, every time", async () => {
    const store = await openTestStore();
    let runs = 0;
    const work = async (): Promise<void> => void runs++;
    expect(await store.tryExclusive("audit", work)).toBe(true);
    expect(await store.tryExclusive("audit", work)).toBe(true);
    expect(runs).toBe(2);
  });

  test("is refused at once while the same work runs, and other work is not", async () => {
    const store = await openTestStore();
    const { finish, running } = await beginExclusive(store);
    expect(await store.tryExclusive("audit", async () => {})).toBe(false);
    const other = store.tryExclusive("operators", async () => {});
    finish();
    expect(await running).toBe(true);
    expect(await other).toBe(true);
  });

  test("is undone as a whole when it fails, and may be tried again", async () => {
    const store = await openTestStore();
    const failing = store.tryExclusive("audit", async ({ db, dialect }) => {
      const token = {
        name: "x",
        token_hash: "x",
        role: "viewer",
        created_by: "x",
        created_at: dialect.nowMs(),
      } as const;
      await db.insertInto("operator_tokens").values(token).execute();
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    const rows = await store.run(({ db }) => db.selectFrom("operator_tokens").selectAll().execute());
    expect(rows).toEqual([]);
    expect(await store.tryExclusive("audit", async () => {})).toBe(true);
  });
});

describe("exclusive work of two replicas on one PostgreSQL", () => {
  test("is done by one of them; the lock ends with the transaction", async () => {
    const url = await createPostgresDatabase();
    const [here, there] = [openStore(url), openStore(url)];
    const { finish, running } = await beginExclusive(here);
    expect(await there.tryExclusive("audit", async () => {})).toBe(false);
    expect(await there.tryExclusive("operators", async () => {})).toBe(true);
    finish();
    expect(await running).toBe(true);
    expect(await there.tryExclusive("audit", async (session) => void (await readClock(session)))).toBe(true);
    await Promise.all([here.close(), there.close()]);
  });
});

/** Work under the lock `audit` that has begun and goes on until `finish`. */
async function beginExclusive(store: Store): Promise<{ finish: () => void; running: Promise<boolean> }> {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const running = store.tryExclusive("audit", async () => {
    begun.resolve();
    await end.promise;
  });
  await begun.promise;
  return { finish: end.resolve, running };
}
