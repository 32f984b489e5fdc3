/**
 * The store: opens a database and runs work on it, in a transaction or statement by statement.
 * The queries are in this folder's other files; each takes a Session and knows nothing of connections.
 */

import { Kysely, PostgresDialect, sql } from "kysely";
import { PortolanError } from "#shared/errors.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { PostgresDialectRules, type SqlDialect, SqliteDialectRules } from "./dialect.ts";
import { openPostgresPool } from "./postgres.ts";
import { BunSqliteDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";

/** What a query needs: where to run, and what the database calls things. */
export interface Session {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
}

export interface StoreOptions {
  /** Told when an idle connection breaks. The next use opens a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

export class Store {
  readonly dialect: SqlDialect;
  private readonly db: Kysely<Tables>;

  constructor(db: Kysely<Tables>, dialect: SqlDialect) {
    this.db = db;
    this.dialect = dialect;
  }

  /**
   * Runs statements that need no transaction.
   * @throws PortolanError DATABASE_UNAVAILABLE when the database cannot be reached
   */
  async run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await work({ db: this.db, dialect: this.dialect });
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * Runs all of it or nothing. Inside, only the given session may be used: on SQLite, where there is one connection,
   * anything else would wait for the transaction to end.
   * @throws PortolanError DATABASE_UNAVAILABLE when the database cannot be reached
   */
  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.db.transaction().execute((db) => work({ db, dialect: this.dialect }));
    } catch (error) {
      throw this.translate(error);
    }
  }

  /** True when the database answers. */
  async isReachable(): Promise<boolean> {
    try {
      await sql`select 1`.execute(this.db);
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }

  private translate(error: unknown): unknown {
    if (!this.dialect.isUnavailable(error)) return error;
    return new PortolanError("DATABASE_UNAVAILABLE", "the database cannot be reached; try again shortly", {
      retryable: true,
      cause: error,
    });
  }
}

/**
 * Opens without connecting: a database that is down shows at the first query.
 * @param url see `parseDatabaseUrl`
 * @throws UsageError for another kind of database
 */
export function openStore(url: string, options: StoreOptions = {}): Store {
  const address = parseDatabaseUrl(url);
  if (address.kind === "postgres") {
    const pool = openPostgresPool(address.url, options.onConnectionLost ?? (() => {}));
    return new Store(new Kysely({ dialect: new PostgresDialect({ pool }) }), new PostgresDialectRules());
  }
  return new Store(new Kysely({ dialect: new BunSqliteDialect(address.path) }), new SqliteDialectRules());
}

/** The database's time, in milliseconds since 1970 UTC. */
export async function readClock({ db, dialect }: Session): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${dialect.nowMs()} as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not tell its time");
  return row.now;
}
