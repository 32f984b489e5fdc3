import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { type SqliteStatement, StatementCache } from "./sqlite-statements.ts";

test("a statement is prepared once while it is in use, and not kept for ever", () => {
  using database = new Database(":memory:");
  const cache = new StatementCache(database);
  const seen = new Set<SqliteStatement>();
  const often = (): void => cache.with("select 'often'", (statement) => void seen.add(statement));
  often();
  for (let index = 0; index < 1_000; index++) {
    cache.with(`select ${index}`, (statement) => expect(statement.values()).toEqual([[index]]));
    often();
  }
  expect(seen.size).toBe(1);
  expect(cache.size).toBe(300);
  cache.close();
  expect(cache.size).toBe(0);
});

test("long statements are not kept", () => {
  using database = new Database(":memory:");
  const cache = new StatementCache(database);
  const text = `select length('${"x".repeat(4_000)}')`;
  expect(cache.with(text, (statement) => statement.values())).toEqual([[4_000]]);
  expect(cache.size).toBe(0);
});

test("a kept statement sees columns that were added since", () => {
  using database = new Database(":memory:");
  const cache = new StatementCache(database);
  database.run("create table t (a integer)");
  database.run("insert into t values (1)");
  const rows = (): unknown => cache.with("select * from t", (statement) => statement.all());
  expect(rows()).toEqual([{ a: 1 }]);
  database.run("alter table t add column b integer default 2");
  expect(rows()).toEqual([{ a: 1, b: 2 }]);
  cache.close();
});
