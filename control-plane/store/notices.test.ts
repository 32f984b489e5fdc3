import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { MAX_NOTICE_BYTES } from "./notices.ts";
import { openStore, type Store } from "./store.ts";
import { createPostgresDatabase } from "./testing/postgres.ts";
import { describeOnBothDatabases } from "./testing/stores.ts";

type Heard = string | undefined;

/** What was heard, and a way to wait until something was. */
class Listener {
  readonly heard: Heard[] = [];
  private waiting: (() => void) | undefined;

  readonly listen = (payload: Heard): void => {
    this.heard.push(payload);
    this.waiting?.();
  };

  async until(is: (heard: readonly Heard[]) => boolean): Promise<void> {
    while (!is(this.heard)) {
      await new Promise<void>((resolve) => {
        this.waiting = resolve;
      });
    }
  }
}

/** A subscription that can hear already. */
async function subscribe(store: Store): Promise<Listener> {
  const listener = new Listener();
  store.subscribe("portolan_jobs", listener.listen);
  if (!store.isHearing) await listener.until((heard) => heard.includes(undefined));
  listener.heard.length = 0;
  return listener;
}

describeOnBothDatabases("notices", (openTestStore) => {
  test("are heard once the transaction is committed, in order, and not before", async () => {
    const store = await openTestStore();
    const listener = await subscribe(store);
    await store.transaction(async (session) => {
      await session.notify("portolan_jobs", "1");
      await session.notify("portolan_jobs", "2");
      expect(listener.heard).toEqual([]);
    });
    await listener.until(({ length }) => length === 2);
    expect(listener.heard).toEqual(["1", "2"]);
  });

  test("of a transaction that failed are never heard", async () => {
    const store = await openTestStore();
    const listener = await subscribe(store);
    const failing = store.transaction(async (session) => {
      await session.notify("portolan_jobs", "lost");
      throw new Error("on purpose");
    });
    await expect(failing).rejects.toThrow("on purpose");
    await store.run((session) => session.notify("portolan_jobs", "next"));
    await listener.until(({ length }) => length > 0);
    expect(listener.heard).toEqual(["next"]);
  });

  test("reach those who subscribed to their channel, as long as they do", async () => {
    const store = await openTestStore();
    const listener = await subscribe(store);
    const other = new Listener();
    const unsubscribe = store.subscribe("portolan_scan_logs", other.listen);
    await store.transaction((session) => session.notify("portolan_scan_logs", "a"));
    await other.until((heard) => heard.includes("a"));
    unsubscribe();
    await store.transaction((session) => session.notify("portolan_scan_logs", "b"));
    await store.transaction((session) => session.notify("portolan_jobs", "x".repeat(MAX_NOTICE_BYTES)));
    await listener.until(({ length }) => length > 0);
    expect(listener.heard).toEqual(["x".repeat(MAX_NOTICE_BYTES)]);
    expect(other.heard.filter((payload) => payload !== undefined)).toEqual(["a"]);
  });
});

describe("notices on one PostgreSQL", () => {
  test("cross from one replica to another", async () => {
    const url = await createPostgresDatabase();
    const [here, there] = [openStore(url), openStore(url)];
    const listener = await subscribe(there);
    await here.transaction((session) => session.notify("portolan_jobs", "7"));
    await listener.until(({ length }) => length > 0);
    expect(listener.heard).toEqual(["7"]);
    await Promise.all([here.close(), there.close()]);
  });

  test("come again after the connection broke, and the listener hears that it may have missed some", async () => {
    const url = await createPostgresDatabase();
    const lost: Error[] = [];
    const store = openStore(url, { onConnectionLost: (error) => lost.push(error) });
    const other = openStore(url);
    const listener = await subscribe(store);
    await other.run(({ db }) =>
      sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and application_name = 'portolan-control notices'`.execute(db),
    );
    await listener.until((heard) => heard.includes(undefined));
    expect(lost).toHaveLength(1);
    expect(store.isHearing).toBe(true);
    await other.run((session) => session.notify("portolan_jobs", "again"));
    await listener.until((heard) => heard.includes("again"));
    await Promise.all([store.close(), other.close()]);
  });

  test("are waited for while the database cannot be reached, and closing ends the waiting", async () => {
    const store = openStore("postgres://nobody@127.0.0.1:1/none");
    store.subscribe("portolan_jobs", () => {});
    expect(store.isHearing).toBe(false);
    await store.close();
    expect(store.isHearing).toBe(false);
  });
});
