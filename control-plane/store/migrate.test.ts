import { afterEach, describe, expect, test } from "bun:test";
import { type Migration, migrate } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import { openStore, type Store } from "./store.ts";
import { DATABASES } from "./testing/stores.ts";

const first: Migration = {
  version: 1,
  name: "first",
  statements: ({ identity }) => [`create table a (id ${identity})`],
};
const second: Migration = { version: 2, name: "second", statements: () => ["create table b (id integer)"] };
const broken: Migration = {
  version: 2,
  name: "broken",
  statements: () => ["create table c (id integer)", "nonsense"],
};

describe.each(Object.entries(DATABASES))("migrations on %s", (_, createDatabase) => {
  const open: Store[] = [];
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });

  async function openEmpty(): Promise<Store> {
    const store = openStore(await createDatabase());
    open.push(store);
    return store;
  }

  test("run once, in order", async () => {
    const store = await openEmpty();
    expect(await migrate(store, [first])).toEqual([1]);
    expect(await migrate(store, [first, second])).toEqual([2]);
    expect(await migrate(store, [first, second])).toEqual([]);
  });

  test("run once when several start at the same time", async () => {
    const store = await openEmpty();
    const applied = await Promise.all(Array.from({ length: 5 }, () => migrate(store, [first, second])));
    expect(applied.flat()).toEqual([1, 2]);
  });

  test("leave the former schema when one fails", async () => {
    const store = await openEmpty();
    await migrate(store, [first]);
    await expect(migrate(store, [first, broken])).rejects.toThrow();
    expect(await migrate(store, [first, second])).toEqual([2]);
  });

  test("refuse a schema that a newer program made", async () => {
    const store = await openEmpty();
    await migrate(store, [first, second]);
    await expect(migrate(store, [first])).rejects.toMatchObject({
      code: "SCHEMA_TOO_NEW",
      message: expect.stringContaining("schema version 2, this program knows up to 1"),
    });
  });

  test("refuse an applied migration that was changed since", async () => {
    const store = await openEmpty();
    await migrate(store, [first]);
    const changed: Migration = { ...first, statements: () => ["create table a (id text)"] };
    await expect(migrate(store, [changed])).rejects.toMatchObject({ code: "SCHEMA_CHANGED" });
  });

  test("of this program run on an empty database", async () => {
    const store = await openEmpty();
    expect(await migrate(store, MIGRATIONS)).toEqual(MIGRATIONS.map(({ version }) => version));
  });
});

test("versions count up from 1 without gaps", () => {
  expect(MIGRATIONS.map(({ version }) => version)).toEqual(MIGRATIONS.map((_, index) => index + 1));
});
