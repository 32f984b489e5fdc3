/** Enrolment tokens as operators make and revoke them. What a host gets for one is in `enrolment.ts`. */

import type { Log } from "#shared/log.ts";
import type { EnrolmentToken, EnrolmentTokenCreateRequest } from "#shared/protocol/enrolment.ts";
import { MAX_ENROLMENT_TOKENS } from "#shared/protocol/limits.ts";
import { ENROLMENT_TOKEN_PREFIX } from "#shared/protocol/scanner.ts";
import {
  type EnrolmentTokenRow,
  findEnrolmentToken,
  insertEnrolmentToken,
  listEnrolmentTokens,
  revokeEnrolmentToken,
} from "../store/enrolment-tokens.ts";
import type { Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { parseBinding } from "./binding.ts";
import { refusal } from "./refusal.ts";
import { createSecret } from "./secrets.ts";
import { isoTime, isoTimeOrNull } from "./time.ts";

export interface NewEnrolmentToken {
  readonly enrolmentToken: EnrolmentToken;
  /** Shown this once. */
  readonly token: string;
}

export class EnrolmentTokens {
  private readonly store: Store;
  private readonly log: Log;
  private readonly canLookUpAsn: boolean;

  constructor(store: Store, log: Log, canLookUpAsn: boolean) {
    this.store = store;
    this.log = log;
    this.canLookUpAsn = canLookUpAsn;
  }

  /** Those that were not revoked, by name. */
  async list(): Promise<EnrolmentToken[]> {
    const rows = await this.store.run(listEnrolmentTokens);
    return rows.map(tokenView);
  }

  /** @throws PortolanError CONFLICT when the name is taken, INVALID_REQUEST for the binding, LIMIT_REACHED */
  async create(request: EnrolmentTokenCreateRequest, actor: string): Promise<NewEnrolmentToken> {
    const { name, bindingMode, rateLimit, maxUses, expiresInSeconds } = request;
    parseBinding(bindingMode, undefined, this.canLookUpAsn);
    const secret = createSecret(ENROLMENT_TOKEN_PREFIX);
    const row = await this.store.transaction(async (session) => {
      await session.dialect.holdLock(session.db, "scannerNames");
      const others = await listEnrolmentTokens(session);
      if (others.some((other) => other.name === name)) {
        throw refusal("CONFLICT", `there is an enrolment token named '${name}' already`);
      }
      if (others.length >= MAX_ENROLMENT_TOKENS) {
        throw refusal("LIMIT_REACHED", `there are ${MAX_ENROLMENT_TOKENS} enrolment tokens already`);
      }
      const ttlMs = expiresInSeconds * 1_000;
      const token = { name, bindingMode, rateLimit, maxUses, ttlMs, hash: secret.hash, createdBy: actor };
      const id = await insertEnrolmentToken(session, token);
      const created = await findEnrolmentToken(session, id);
      if (created === undefined) throw new Error(`enrolment token ${id} was made and is not there`);
      await recordAudit(session, {
        actor,
        action: "enrolment-token.created",
        object: `enrolment-token:${id}`,
        detail: { name, bindingMode, rateLimit, maxUses, expiresAt: isoTime(created.expires_at) },
      });
      return created;
    });
    this.log.info("enrolment-token.created", `Enrolment token ${name} was made`, { actor });
    return { enrolmentToken: tokenView(row), token: secret.text };
  }

  /** Scanners that used it stay. @throws PortolanError NOT_FOUND when there is no such token that still works */
  async revoke(id: number, actor: string): Promise<void> {
    await this.store.transaction(async (session) => {
      if (!(await revokeEnrolmentToken(session, id))) {
        throw refusal("NOT_FOUND", `no enrolment token ${id} to revoke`);
      }
      await recordAudit(session, {
        actor,
        action: "enrolment-token.revoked",
        object: `enrolment-token:${id}`,
      });
    });
    this.log.info("enrolment-token.revoked", `Enrolment token ${id} was revoked`, { actor });
  }
}

function tokenView(row: EnrolmentTokenRow): EnrolmentToken {
  return {
    id: row.id,
    name: row.name,
    bindingMode: row.binding_mode,
    rateLimit: row.rate_limit,
    maxUses: row.max_uses,
    uses: row.uses,
    status: tokenStatus(row),
    createdBy: row.created_by,
    createdAt: isoTime(row.created_at),
    expiresAt: isoTime(row.expires_at),
    lastUsedAt: isoTimeOrNull(row.last_used_at),
  };
}

function tokenStatus({ now_ms, expires_at, uses, max_uses }: EnrolmentTokenRow): EnrolmentToken["status"] {
  if (now_ms >= expires_at) return "expired";
  return uses >= max_uses ? "used-up" : "usable";
}
