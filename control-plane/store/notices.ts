/**
 * Short messages between everything that runs on one database: "there is work for scanner 7". They carry what to look
 * at, never what is there: whoever hears one reads the database. Sent in a transaction, heard when it is committed.
 * Here is what both databases share, and all of SQLite's, where there is one process to tell.
 */

import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

/** PostgreSQL has them under the same names. */
export const CHANNELS = ["portolan_jobs", "portolan_scan_logs"] as const;
export type Channel = (typeof CHANNELS)[number];

/** PostgreSQL takes no more. */
export const MAX_NOTICE_BYTES = 7_999;

export interface Notice {
  readonly channel: Channel;
  /** Up to MAX_NOTICE_BYTES of ASCII. */
  readonly payload: string;
}

/** Told `undefined` when notices may have been missed: then all there is has to be looked at. Must not throw. */
export type NoticeListener = (payload: string | undefined) => void;

export interface Notices {
  /** False while notices of other replicas cannot be heard: then the database has to be asked more often. */
  readonly isHearing: boolean;
  /** @returns the end of the subscription */
  subscribe(channel: Channel, listener: NoticeListener): () => void;
  /** In the transaction. What cannot travel in it is put into `outbox`, for `deliver`. */
  post(db: Kysely<Tables>, notice: Notice, outbox: Notice[]): Promise<void>;
  /** After the commit. */
  deliver(outbox: readonly Notice[]): void;
  close(): Promise<void>;
}

/** Who listens to what in this process. */
export class Subscriptions {
  private readonly listeners = new Map<Channel, Set<NoticeListener>>();

  /** A function that is subscribed twice hears everything twice. */
  add(channel: Channel, listener: NoticeListener): () => void {
    const own: NoticeListener = (payload) => listener(payload);
    const listeners = this.listeners.get(channel) ?? new Set();
    this.listeners.set(channel, listeners.add(own));
    return () => void listeners.delete(own);
  }

  tell({ channel, payload }: { readonly channel: Channel; readonly payload: string | undefined }): void {
    for (const listener of this.listeners.get(channel) ?? []) listener(payload);
  }

  tellThatNoticesWereMissed(): void {
    for (const channel of this.listeners.keys()) this.tell({ channel, payload: undefined });
  }
}

export class LocalNotices implements Notices {
  readonly isHearing = true;
  private readonly subscriptions = new Subscriptions();

  subscribe(channel: Channel, listener: NoticeListener): () => void {
    return this.subscriptions.add(channel, listener);
  }

  async post(_db: Kysely<Tables>, notice: Notice, outbox: Notice[]): Promise<void> {
    outbox.push(notice);
  }

  deliver(outbox: readonly Notice[]): void {
    for (const notice of outbox) this.subscriptions.tell(notice);
  }

  async close(): Promise<void> {}
}
