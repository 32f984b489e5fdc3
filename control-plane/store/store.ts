/**
 * The store: opens a database and runs work on it, in a transaction or statement by statement.
 * The queries are in this folder's other files; each takes a Session and knows nothing of connections.
 */

import { Kysely, PostgresDialect, sql } from "kysely";
import { PortolanError } from "#shared/errors.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { type LockName, PostgresDialectRules, type SqlDialect, SqliteDialectRules } from "./dialect.ts";
import { type Channel, LocalNotices, type Notice, type NoticeListener, type Notices } from "./notices.ts";
import { openPostgresPool } from "./postgres.ts";
import { PostgresNotices } from "./postgres-notices.ts";
import { BunSqliteDialect } from "./sqlite.ts";
import type { Tables } from "./tables.ts";

/** What a query needs: where to run, and what the database calls things. */
export interface Session {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /**
   * Tells whoever subscribed to the channel, in every replica, once the transaction is committed.
   * @param payload up to MAX_NOTICE_BYTES of ASCII
   */
  notify(channel: Channel, payload: string): Promise<void>;
}

export interface StoreOptions {
  /** Told when an idle connection breaks. The next use opens a new one. */
  readonly onConnectionLost?: (error: Error) => void;
}

export class Store {
  readonly dialect: SqlDialect;
  private readonly db: Kysely<Tables>;
  private readonly notices: Notices;
  /** What `tryExclusive` is doing here. */
  private readonly exclusive = new Set<LockName>();

  constructor(db: Kysely<Tables>, dialect: SqlDialect, notices: Notices) {
    this.db = db;
    this.dialect = dialect;
    this.notices = notices;
  }

  /**
   * Runs statements that need no transaction.
   * @throws PortolanError DATABASE_UNAVAILABLE when the database cannot be reached
   */
  async run<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      const outbox: Notice[] = [];
      const result = await work(this.session(this.db, outbox));
      this.notices.deliver(outbox);
      return result;
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
    const outbox: Notice[] = [];
    try {
      const result = await this.db.transaction().execute((db) => work(this.session(db, outbox)));
      this.notices.deliver(outbox);
      return result;
    } catch (error) {
      throw this.translate(error);
    }
  }

  /**
   * Runs the work in a transaction, unless someone is at it already, here or in another replica. Other transactions
   * that need the same lock (`holdLock`) wait for the end of it.
   * @returns whether it ran
   * @throws PortolanError DATABASE_UNAVAILABLE when the database cannot be reached
   */
  async tryExclusive(name: LockName, work: (session: Session) => Promise<void>): Promise<boolean> {
    if (this.exclusive.has(name)) return false;
    this.exclusive.add(name);
    try {
      return await this.transaction(async (session) => {
        if (!(await session.dialect.tryLock(session.db, name))) return false;
        await work(session);
        return true;
      });
    } finally {
      this.exclusive.delete(name);
    }
  }

  /**
   * Hears what is sent on the channel from now on, by this replica and by all others. Notices are hints: one may be
   * missed while the database is away, and after that the listener is told `undefined`.
   * @returns the end of the subscription
   */
  subscribe(channel: Channel, listener: NoticeListener): () => void {
    return this.notices.subscribe(channel, listener);
  }

  /** False while nothing of other replicas can be heard: before the first subscription, and while the database is away. */
  get isHearing(): boolean {
    return this.notices.isHearing;
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
    await this.notices.close();
    await this.db.destroy();
  }

  private session(db: Kysely<Tables>, outbox: Notice[]): Session {
    return {
      db,
      dialect: this.dialect,
      notify: (channel, payload) => this.notices.post(db, { channel, payload }, outbox),
    };
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
    const onConnectionLost = options.onConnectionLost ?? (() => {});
    const pool = openPostgresPool(address.url, onConnectionLost);
    const notices = new PostgresNotices(address.url, onConnectionLost);
    return new Store(
      new Kysely({ dialect: new PostgresDialect({ pool }) }),
      new PostgresDialectRules(),
      notices,
    );
  }
  const db = new Kysely<Tables>({ dialect: new BunSqliteDialect(address.path) });
  return new Store(db, new SqliteDialectRules(), new LocalNotices());
}

/** The database's time, in milliseconds since 1970 UTC. */
export async function readClock({ db, dialect }: Session): Promise<number> {
  const { rows } = await sql<{ now: number }>`select ${dialect.nowMs()} as now`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error("the database did not tell its time");
  return row.now;
}
