/**
 * Notices by PostgreSQL's LISTEN and NOTIFY. One connection of its own listens, from the first subscription on; when it
 * breaks, it is made anew, and the listeners are told that they may have missed something.
 */

import { type Kysely, sql } from "kysely";
import { Client } from "pg";
import { type BackoffPolicy, backoffDelayMs } from "#shared/backoff.ts";
import { systemClock } from "#shared/clock.ts";
import {
  type Channel,
  CHANNELS,
  type Notice,
  type NoticeListener,
  type Notices,
  Subscriptions,
} from "./notices.ts";
import type { Tables } from "./tables.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A connection whose other end vanished without a word is found by asking now and then. */
const CHECK_INTERVAL_MS = 20_000;
const CHECK_TIMEOUT_MS = 5_000;
const RECONNECT: BackoffPolicy = { initialMs: 100, maxMs: 5_000, maxAttempts: Number.POSITIVE_INFINITY };

export class PostgresNotices implements Notices {
  private readonly url: string;
  private readonly onConnectionLost: (error: Error) => void;
  private readonly subscriptions = new Subscriptions();
  private readonly closing = new AbortController();
  private listening: Promise<void> | undefined;
  private connected = false;

  /** @param onConnectionLost told when a connection breaks that listened */
  constructor(url: string, onConnectionLost: (error: Error) => void) {
    this.url = url;
    this.onConnectionLost = onConnectionLost;
  }

  get isHearing(): boolean {
    return this.connected;
  }

  subscribe(channel: Channel, listener: NoticeListener): () => void {
    this.listening ??= this.listenUntilClosed();
    return this.subscriptions.add(channel, listener);
  }

  async post(db: Kysely<Tables>, { channel, payload }: Notice): Promise<void> {
    await sql`select pg_notify(${channel}, ${payload})`.execute(db);
  }

  /** They travelled in the transaction. */
  deliver(): void {}

  async close(): Promise<void> {
    this.closing.abort();
    await this.listening;
  }

  private async listenUntilClosed(): Promise<void> {
    for (let failures = 1; !this.closing.signal.aborted; failures++) {
      const error = await this.listenOnce();
      if (this.connected) {
        this.connected = false;
        failures = 1;
        if (error !== undefined) this.onConnectionLost(error);
      }
      await systemClock.sleep(backoffDelayMs(RECONNECT, failures, Math.random()), this.closing.signal);
    }
  }

  /** Returns why it ended; undefined when it was closed. */
  private async listenOnce(): Promise<Error | undefined> {
    const client = new Client({
      connectionString: this.url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: CHECK_TIMEOUT_MS,
      application_name: "portolan-control notices",
    });
    const broken = new AbortController();
    let reason = new Error("the connection for notices was closed by the database");
    client.on("error", (error) => {
      reason = error;
      broken.abort();
    });
    client.on("end", () => broken.abort());
    client.on("notification", ({ channel, payload }) => this.hear(channel, payload));
    const over = AbortSignal.any([broken.signal, this.closing.signal]);
    try {
      await client.connect();
      for (const channel of CHANNELS) await client.query(`listen ${channel}`);
      this.connected = true;
      this.subscriptions.tellThatNoticesWereMissed();
      for (;;) {
        await systemClock.sleep(CHECK_INTERVAL_MS, over);
        if (this.closing.signal.aborted) return undefined;
        if (broken.signal.aborted) return reason;
        await client.query("select 1");
      }
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      // Broken or not, nothing of it is waited for: the server sees the end of the connection.
      client.end().catch(() => {});
    }
  }

  private hear(name: string, payload: string | undefined): void {
    const channel = CHANNELS.find((known) => known === name);
    if (channel !== undefined) this.subscriptions.tell({ channel, payload: payload ?? "" });
  }
}
