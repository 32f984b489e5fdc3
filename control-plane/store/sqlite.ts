/**
 * Kysely on bun:sqlite. One connection; Kysely's runtime hands it to one user at a time (SqliteAdapter says that there
 * is only one), for a statement or for a whole transaction. So transactions never interleave, and a statement outside
 * a transaction never lands inside another's. The price: inside a transaction, only the transaction may be used.
 */

import { Database, type SQLQueryBindings } from "bun:sqlite";
import { closeSync, openSync } from "node:fs";
import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import { type SqliteStatement, StatementCache } from "./sqlite-statements.ts";

/** How long to wait for another process that holds the file's write lock. */
export const SQLITE_BUSY_TIMEOUT_MS = 5_000;

/**
 * Results come in by the thousand, for addresses far from each other. With the few MiB that SQLite takes by itself,
 * every batch would be written out and read in again; with these it takes them in twice as fast.
 */
const CACHE_KIB = 65_536;
/** Of 4 KiB: the file beside the database grows to 64 MiB before it is merged. */
const CHECKPOINT_PAGES = 16_384;

export class BunSqliteDialect implements Dialect {
  private readonly path: string;

  /** @param path a file, created where it is missing, or `:memory:` */
  constructor(path: string) {
    this.path = path;
  }

  createAdapter(): DialectAdapter {
    return new SqliteAdapter();
  }

  createDriver(): Driver {
    return new BunSqliteDriver(this.path);
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db);
  }

  createQueryCompiler(): QueryCompiler {
    return new SqliteQueryCompiler();
  }
}

class BunSqliteDriver implements Driver {
  private readonly path: string;
  private connection: BunSqliteConnection | undefined;

  constructor(path: string) {
    this.path = path;
  }

  async init(): Promise<void> {
    if (this.path !== ":memory:") createForOwnerOnly(this.path);
    const database = new Database(this.path, { create: true, strict: true });
    database.run(`pragma busy_timeout = ${SQLITE_BUSY_TIMEOUT_MS}`);
    database.run("pragma journal_mode = wal");
    database.run("pragma synchronous = normal");
    database.run("pragma foreign_keys = on");
    database.run(`pragma cache_size = -${CACHE_KIB}`);
    database.run(`pragma wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    this.connection = new BunSqliteConnection(database);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    if (this.connection === undefined)
      throw new Error("the SQLite driver was used before its initialisation");
    return this.connection;
  }

  /** Immediate: takes the write lock at once, so that a transaction never fails halfway for want of it. */
  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("commit"));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("rollback"));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.connection?.close();
    this.connection = undefined;
  }
}

/** SQLite would create it readable for all. The files it puts beside it get the mode of this one. */
function createForOwnerOnly(path: string): void {
  try {
    closeSync(openSync(path, "wx", 0o600));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

class BunSqliteConnection implements DatabaseConnection {
  private readonly database: Database;
  private readonly statements: StatementCache;

  constructor(database: Database) {
    this.database = database;
    this.statements = new StatementCache(database);
  }

  close(): void {
    this.statements.close();
    this.database.close();
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return this.statements.with(sql, (statement) => {
      const [rows] = parameters;
      if (Array.isArray(rows)) return executeForEach(statement, rows);
      const bindings = parameters.map(binding);
      if (statement.columnNames.length > 0) {
        // What a row is, the query that was compiled knows, and no driver.
        return { rows: statement.all(...bindings) as R[] };
      }
      const { changes, lastInsertRowid } = statement.run(...bindings);
      return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
    });
  }

  streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error("streaming is not supported on SQLite");
  }
}

/** A statement whose parameter is a list of rows runs once for each: faster than any statement of many rows. */
function executeForEach(statement: SqliteStatement, rows: readonly unknown[]): QueryResult<never> {
  let affected = 0;
  for (const row of rows) affected += statement.run(...rowBindings(row)).changes;
  return { rows: [], numAffectedRows: BigInt(affected) };
}

/** The row itself, looked at: there may be a million of them. @throws Error as `binding` does */
function rowBindings(row: unknown): SQLQueryBindings[] {
  if (!Array.isArray(row)) throw new Error("a list that is bound to a query must be one of rows");
  const values: unknown[] = row;
  return values.every(isBinding) ? values : values.map(binding);
}

function isBinding(value: unknown): value is SQLQueryBindings {
  return (
    value === null || typeof value === "string" || typeof value === "number" || value instanceof Uint8Array
  );
}

/** @throws Error for a value that no column holds: a bug in a query */
function binding(value: unknown): SQLQueryBindings {
  if (isBinding(value)) return value;
  throw new Error(`a ${typeof value} cannot be bound to a query`);
}
