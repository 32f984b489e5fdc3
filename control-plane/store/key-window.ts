/**
 * Parts of tables by endpoint, as conditions that follow the key. Of one vantage point at a time: PostgreSQL does not
 * stop at the upper end of a comparison of rows that begins with the vantage point, and reads on to the end of the index.
 */

import { type RawBuilder, sql } from "kysely";
import type { EndpointKey, PortKey } from "./endpoint-key.ts";

/** After the one port, and up to the other, which belongs to it. */
export interface PortWindow {
  readonly after?: PortKey | undefined;
  readonly upTo?: PortKey | undefined;
}

/** For rows of one vantage point. */
export function inWindow({ after, upTo }: PortWindow): RawBuilder<boolean> {
  const conditions = [sql`1 = 1`];
  if (after !== undefined) conditions.push(sql`(address, protocol, port) > (${portValues(after)})`);
  if (upTo !== undefined) conditions.push(sql`(address, protocol, port) <= (${portValues(upTo)})`);
  return sql<boolean>`(${sql.join(conditions, sql` and `)})`;
}

/** For rows of any vantage point. */
export function isAfter(key: EndpointKey): RawBuilder<boolean> {
  return sql<boolean>`(vantage_id, address, protocol, port) > (${key.vantage_id}, ${portValues(key)})`;
}

function portValues({ address, protocol, port }: PortKey): RawBuilder<unknown> {
  return sql.join([address, protocol, port]);
}
