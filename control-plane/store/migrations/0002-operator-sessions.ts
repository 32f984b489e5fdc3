/** Browsers' sessions. */

import type { Migration } from "../migrate.ts";

export const operatorSessions: Migration = {
  version: 2,
  name: "operator-sessions",
  statements: ({ identity, integer }) => [
    `create table operator_sessions (
      id ${identity},
      token_id ${integer} not null references operator_tokens (id),
      session_hash text not null unique,
      created_at ${integer} not null,
      expires_at ${integer} not null
    )`,
    `create index operator_sessions_expiry on operator_sessions (expires_at)`,
  ],
};
