/** Queries on scanners that enrolled themselves, and on the approval of any. */

import type { Session } from "./store.ts";

/** The scanner that this host became under the token, while `withinMs` have not passed since. */
export async function findRecentEnrolment(
  { db, dialect }: Session,
  tokenId: number,
  installId: string,
  withinMs: number,
): Promise<number | undefined> {
  const row = await db
    .selectFrom("scanners")
    .select("id")
    .where("enrolment_token_id", "=", tokenId)
    .where("install_id", "=", installId)
    .where("deleted_at", "is", null)
    .where((eb) => eb(eb.parens("created_at", "+", withinMs), ">", dialect.nowMs()))
    .orderBy("id", "desc")
    .executeTakeFirst();
  return row?.id;
}

/** Names of scanners that begin with this, as the database compares: SQLite makes no difference of upper and lower case. */
export async function listNamesLike({ db }: Session, beginning: string): Promise<string[]> {
  const rows = await db
    .selectFrom("scanners")
    .select("name")
    .where("deleted_at", "is", null)
    // Names hold neither % nor _.
    .where("name", "like", `${beginning}%`)
    .execute();
  return rows.map(({ name }) => name);
}

export async function setApproved({ db, dialect }: Session, id: number, approved: boolean): Promise<void> {
  const unapproved_at = approved ? null : dialect.nowMs();
  await db.updateTable("scanners").set({ unapproved_at }).where("id", "=", id).execute();
}
