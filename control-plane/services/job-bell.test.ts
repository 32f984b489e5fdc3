import { describe, expect, test } from "bun:test";
import { openStore, type Store } from "../store/store.ts";
import { createPostgresDatabase } from "../store/testing/postgres.ts";
import { describeOnBothDatabases } from "../store/testing/stores.ts";
import { migrate } from "../store/migrate.ts";
import { MIGRATIONS } from "../store/migrations/all.ts";
import { TestControlPlane } from "../testing/control-plane.ts";
import { FakeClock } from "../testing/fake-clock.ts";
import { JobBell } from "./job-bell.ts";

function rung(listener: AbortController): Promise<void> {
  return new Promise((resolve) => {
    if (listener.signal.aborted) resolve();
    else listener.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Resolves once the store hears notices, which takes a subscription and, on PostgreSQL, a connection. */
async function hearing(store: Store): Promise<void> {
  while (!store.isHearing) await new Promise(setImmediate);
}

describeOnBothDatabases("the bell", (openTestStore) => {
  test("wakes those who listen for the scanner, and nobody else", async () => {
    const bell = new JobBell(await openTestStore(), new FakeClock());
    const [first, second, other] = [bell.listen(1), bell.listen(1), bell.listen(2)];
    bell.ring([1]);
    expect([first, second, other].map(({ signal }) => signal.aborted)).toEqual([true, true, false]);
    bell.close();
  });

  test("is rung when jobs are inserted, without time passing", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const bell = new JobBell(plane.store, new FakeClock());
    const listener = bell.listen(scanner.id);
    await hearing(plane.store);
    await plane.startScan([scanner]);
    await rung(listener);
    bell.close();
  });

  test("finds work that no notice told of, while someone listens; asks nothing when nobody does", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const clock = new FakeClock();
    const bell = new JobBell(plane.store, clock);
    const listener = bell.listen(scanner.id);
    await hearing(plane.store);
    const woken = rung(listener);
    while (!listener.signal.aborted) {
      clock.advance(5_000);
      await new Promise(setImmediate);
    }
    await woken;
    bell.unlisten(scanner.id, listener);
    expect(clock.sleeping).toBe(0);
    bell.close();
  });

  test("once closed wakes everyone and keeps nobody waiting", async () => {
    const bell = new JobBell(await openTestStore(), new FakeClock());
    const waiting = bell.listen(1);
    bell.close();
    expect(waiting.signal.aborted).toBe(true);
    expect(bell.listen(1).signal.aborted).toBe(true);
  });
});

describe("a poll at one replica", () => {
  test("is woken by a dispatch at another, without time passing", async () => {
    const url = await createPostgresDatabase();
    const stores = [openStore(url), openStore(url)] as const;
    await migrate(stores[0], MIGRATIONS);
    const [here, there] = [new TestControlPlane(stores[0]), new TestControlPlane(stores[1])];
    const scanner = await here.addScanner("s1");
    const waiting = here.call("GET", "/scanner/jobs?wait=55", { key: scanner.key });
    await hearing(here.store);
    while (here.clock.sleeping < 2) await new Promise(setImmediate);
    await there.startScan([scanner]);
    expect(await waiting).toMatchObject({ status: 200, body: { jobs: [{ scanId: 1 }] } });
    here.services.bell.close();
    for (const store of stores) await store.close();
  });

  test("that the database left alone finds its work by asking often", async () => {
    const clock = new FakeClock();
    const store = openStore("postgres://nobody@127.0.0.1:1/none");
    const bell = new JobBell(store, clock);
    const listener = bell.listen(1);
    expect(clock.nextWakeMs).toBe(500);
    bell.unlisten(1, listener);
    bell.close();
    await store.close();
  });
});
