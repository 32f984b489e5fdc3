import { expect, test } from "bun:test";
import { UsageError } from "#shared/errors.ts";
import { parseDatabaseUrl } from "./database-url.ts";

test.each([
  "postgres://u:p@db.example:5432/portolan",
  "postgresql://db.example/portolan?sslmode=require",
  "postgres:///portolan?host=/run/postgresql",
])("%s is PostgreSQL", (url) => {
  expect(parseDatabaseUrl(url)).toEqual({ kind: "postgres", url });
});

test.each([
  ["sqlite:/var/lib/x.sqlite", "/var/lib/x.sqlite"],
  ["sqlite:x.sqlite", "x.sqlite"],
  ["sqlite::memory:", ":memory:"],
  [":memory:", ":memory:"],
])("%s is SQLite", (url, path) => {
  expect(parseDatabaseUrl(url)).toEqual({ kind: "sqlite", path });
});

test.each([
  ["", "''"],
  ["x.sqlite", "'x.sqlite'"],
  ["/var/lib/x.sqlite", "'/var/lib/x.sqlite'"],
  ["sqlite:", "'sqlite:'"],
  ["sqlite:///var/lib/x.sqlite", "'sqlite:///var/lib/x.sqlite'"],
  ["postgres:/db.example/portolan", "'postgres:/db.example/portolan'"],
  ["postgres://", "'postgres://'"],
  ["mysql://u:s3cret@db.example/x", "'mysql:…@db.example/x'"],
  ["postgres:/u:s3cr@et@db.example/x", "'postgres:…@db.example/x'"],
])("%j is refused by name, without its password", (url, name) => {
  expect(() => parseDatabaseUrl(url)).toThrow(UsageError);
  expect(() => parseDatabaseUrl(url)).toThrow(
    `${name} is no database for Portolan; write postgres://… or sqlite:PATH`,
  );
});
