/** Tables of two columns that say what refers to what: a subnet to its scanners, a template to its subnets. */

import { type RawBuilder, sql } from "kysely";
import type { Session } from "./store.ts";

export interface Link {
  readonly table: string;
  /** The column of what refers. */
  readonly from: string;
  /** The column of what is referred to. */
  readonly to: string;
}

export const LINKS = {
  subnetScanners: { table: "subnet_scanners", from: "subnet_id", to: "scanner_id" },
  subnetGroups: { table: "subnet_groups", from: "subnet_id", to: "group_id" },
  groupMembers: { table: "scanner_group_members", from: "group_id", to: "scanner_id" },
  discoveryScanners: { table: "discovery_list_scanners", from: "list_id", to: "scanner_id" },
  discoveryGroups: { table: "discovery_list_groups", from: "list_id", to: "group_id" },
  templateSubnets: { table: "template_subnets", from: "template_id", to: "subnet_id" },
  templateDiscoveryLists: { table: "template_discovery_lists", from: "template_id", to: "list_id" },
  templatePortLists: { table: "template_port_lists", from: "template_id", to: "port_list_id" },
} as const satisfies Readonly<Record<string, Link>>;

export interface Pair {
  readonly from_id: number;
  readonly to_id: number;
}

/** Rows in one statement: two columns each, below the 32,766 parameters of SQLite. */
const ROWS_PER_STATEMENT = 10_000;

/** @param pairs each once */
export async function insertLinks({ db }: Session, link: Link, pairs: readonly Pair[]): Promise<void> {
  for (let i = 0; i < pairs.length; i += ROWS_PER_STATEMENT) {
    const rows = pairs.slice(i, i + ROWS_PER_STATEMENT).map((pair) => sql`(${pair.from_id}, ${pair.to_id})`);
    await sql`insert into ${sql.table(link.table)} (${sql.ref(link.from)}, ${sql.ref(link.to)})
      values ${sql.join(rows)}`.execute(db);
  }
}

export async function deleteLinks({ db }: Session, link: Link, from: number): Promise<void> {
  await sql`delete from ${sql.table(link.table)} where ${sql.ref(link.from)} = ${from}`.execute(db);
}

/** From now on it refers to these and to nothing else. */
export async function replaceLinks(
  session: Session,
  link: Link,
  from: number,
  to: readonly number[],
): Promise<void> {
  await deleteLinks(session, link, from);
  await insertLinks(
    session,
    link,
    to.map((id) => ({ from_id: from, to_id: id })),
  );
}

/** What each of these refers to, ascending; one that refers to nothing is left out. */
export async function listLinks(
  session: Session,
  link: Link,
  from: readonly number[],
): Promise<ReadonlyMap<number, number[]>> {
  if (from.length === 0) return new Map();
  const list = sql`${sql.ref(link.from)} in (${sql.join(from)})`;
  return grouped(session, sql`select ${columns(link)} from ${sql.table(link.table)} as l where l.${list}`);
}

/** What each object that `root` refers to by `first` refers to by `second`, ascending. */
export async function listLinksThrough(
  session: Session,
  first: Link,
  root: number,
  second: Link,
): Promise<ReadonlyMap<number, number[]>> {
  return grouped(
    session,
    sql`select ${columns(second)} from ${sql.table(second.table)} as l
      join ${sql.table(first.table)} as r on r.${sql.ref(first.to)} = l.${sql.ref(second.from)}
      where r.${sql.ref(first.from)} = ${root}`,
  );
}

/** The condition that `from` refers to the row. */
export function isReferredTo(link: Link, from: number): RawBuilder<boolean> {
  return sql<boolean>`id in
    (select ${sql.ref(link.to)} from ${sql.table(link.table)} where ${sql.ref(link.from)} = ${from})`;
}

/** How many each of these refers to; one that refers to nothing is left out. */
export async function countLinks(
  { db }: Session,
  link: Link,
  from: readonly number[],
): Promise<ReadonlyMap<number, number>> {
  if (from.length === 0) return new Map();
  const { rows } = await sql<{ id: number; links: number }>`
    select ${sql.ref(link.from)} as id, count(*) as links from ${sql.table(link.table)}
    where ${sql.ref(link.from)} in (${sql.join(from)}) group by ${sql.ref(link.from)}`.execute(db);
  return new Map(rows.map(({ id, links }) => [id, links]));
}

function columns(link: Link): RawBuilder<Pair> {
  return sql<Pair>`l.${sql.ref(link.from)} as from_id, l.${sql.ref(link.to)} as to_id`;
}

async function grouped({ db }: Session, query: RawBuilder<unknown>): Promise<ReadonlyMap<number, number[]>> {
  const { rows } = await sql<Pair>`${query} order by from_id, to_id`.execute(db);
  const found = new Map<number, number[]>();
  for (const { from_id, to_id } of rows) {
    const list = found.get(from_id);
    if (list === undefined) found.set(from_id, [to_id]);
    else list.push(to_id);
  }
  return found;
}
