/** Runs a suite of tests on both databases, each test on a fresh, migrated one. */

import { afterEach, describe } from "bun:test";
import { migrate } from "../migrate.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { openStore, type Store } from "../store.ts";
import { createPostgresDatabase } from "./postgres.ts";

/** Opens a store for the running test; it is closed when the test ends. */
export type OpenTestStore = () => Promise<Store>;

type Suite = (openTestStore: OpenTestStore) => void;

/** An empty database of each kind. */
export const DATABASES = {
  SQLite: async (): Promise<string> => ":memory:",
  PostgreSQL: createPostgresDatabase,
} as const;

export function describeOnBothDatabases(name: string, suite: Suite): void {
  for (const [kind, createDatabase] of Object.entries(DATABASES)) {
    describe(`${name} on ${kind}`, () => suite(testStores(createDatabase)));
  }
}

/** For rules that no database has a part in. */
export function describeOnSqlite(name: string, suite: Suite): void {
  describe(name, () => suite(testStores(DATABASES.SQLite)));
}

/** For what only PostgreSQL has. */
export function describeOnPostgres(name: string, suite: Suite): void {
  describe(name, () => suite(testStores(DATABASES.PostgreSQL)));
}

function testStores(createDatabase: () => Promise<string>): OpenTestStore {
  const open: Store[] = [];
  afterEach(async () => {
    for (const store of open.splice(0)) await store.close();
  });
  return async () => {
    const store = openStore(await createDatabase());
    open.push(store);
    await migrate(store, MIGRATIONS);
    return store;
  };
}
