/** Enrolment tokens, approval, key rotation, settings, and what replicas share: the signing key, whose turn it is. */

import type { Migration } from "../migrate.ts";

export const scannerAccess: Migration = {
  version: 4,
  name: "scanner-access",
  statements: ({ identity, integer }) => [
    `create table enrolment_tokens (
      id ${identity},
      name text not null,
      token_hash text not null unique,
      binding_mode text not null,
      rate_limit ${integer} not null,
      max_uses ${integer} not null,
      uses ${integer} not null default 0,
      created_by text not null,
      created_at ${integer} not null,
      expires_at ${integer} not null,
      last_used_at ${integer},
      revoked_at ${integer}
    )`,
    `create unique index enrolment_tokens_name on enrolment_tokens (name) where revoked_at is null`,

    `alter table scanners add column enrolment_token_id ${integer} references enrolment_tokens (id)`,
    `alter table scanners add column unapproved_at ${integer}`,
    `alter table scanners add column former_key_expires_at ${integer}`,
    `alter table scanners add column rotation_requested_at ${integer}`,
    `alter table scanners add column down_at ${integer}`,
    `create index scanners_enrolment on scanners (enrolment_token_id, install_id)`,

    `create table settings (
      name text primary key,
      value text not null,
      updated_by text not null,
      updated_at ${integer} not null
    )`,

    `create table signing_keys (
      name text primary key,
      secret text not null,
      created_at ${integer} not null
    )`,

    `create table turns (
      name text primary key,
      taken_at ${integer} not null
    )`,
  ],
};
