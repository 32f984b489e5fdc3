/** Operators: their tokens, and what each role may do. */

import type { OperatorRole } from "#shared/protocol/administration.ts";
import { AUTH_ATTEMPTS_PER_MINUTE } from "#shared/protocol/limits.ts";
import { OPERATOR_TOKEN_PREFIX } from "#shared/protocol/scanner.ts";
import {
  findOperatorToken,
  hasOperatorTokens,
  insertOperatorToken,
  listOperatorTokens,
  type OperatorTokenRow,
  revokeOperatorToken,
  touchOperatorToken,
} from "../store/operator-tokens.ts";
import type { Store } from "../store/store.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { recordAudit } from "./audit.ts";
import { refusal } from "./refusal.ts";
import { createSecret, equalHashes, hashSecret } from "./secrets.ts";

const RANK: Record<OperatorRole, number> = { viewer: 0, operator: 1, admin: 2 };

/** Someone who has shown a token, now or when the session began. */
export interface Operator {
  readonly tokenId: number;
  readonly name: string;
  readonly role: OperatorRole;
}

/** How the audit log names an operator. */
export function actorOf(operator: Operator): string {
  return `operator:${operator.name}`;
}

/** @throws PortolanError FORBIDDEN */
export function requireRole(operator: Operator, role: OperatorRole): void {
  if (RANK[operator.role] >= RANK[role]) return;
  throw refusal("FORBIDDEN", `this needs the role '${role}'; your token has the role '${operator.role}'`);
}

export interface NewToken {
  /** Shown this once. */
  readonly token: string;
  readonly row: OperatorTokenRow;
}

export class Operators {
  private readonly store: Store;
  private readonly limiter: AttemptLimiter;

  constructor(store: Store, limiter: AttemptLimiter) {
    this.store = store;
    this.limiter = limiter;
  }

  /**
   * A right token always passes; only wrong ones count against the address.
   * @throws PortolanError UNAUTHENTICATED, or RATE_LIMITED after too many wrong ones
   */
  async authenticate(token: string | undefined, address: string): Promise<Operator> {
    const row = token?.startsWith(OPERATOR_TOKEN_PREFIX) ? await this.find(token) : undefined;
    if (row !== undefined) return { tokenId: row.id, name: row.name, role: row.role };
    throw refuseAttempt(
      this.limiter,
      address,
      token === undefined
        ? "this needs an operator's token: Authorization: Bearer ptl_op_…"
        : "the operator's token is unknown or revoked",
    );
  }

  private async find(token: string): Promise<OperatorTokenRow | undefined> {
    const hash = hashSecret(token);
    return this.store.run(async (session) => {
      const row = await findOperatorToken(session, hash);
      if (row === undefined || !equalHashes(row.token_hash, hash)) return undefined;
      await touchOperatorToken(session, row.id);
      return row;
    });
  }

  async create(name: string, role: OperatorRole, actor: string): Promise<NewToken> {
    const secret = createSecret(OPERATOR_TOKEN_PREFIX);
    return this.store.transaction(async (session) => {
      const row = await insertOperatorToken(session, { name, role, hash: secret.hash, createdBy: actor });
      await recordAudit(session, {
        actor,
        action: "token.created",
        object: `token:${row.id}`,
        detail: { name, role },
      });
      return { token: secret.text, row };
    });
  }

  /**
   * Creates the first token of an empty database.
   * @param keep stores it where the operator finds it; when that fails, no token is created
   * @returns the token, or undefined where there are tokens already
   */
  async createFirst(keep: (token: string) => Promise<void>): Promise<string | undefined> {
    const secret = createSecret(OPERATOR_TOKEN_PREFIX);
    return this.store.transaction(async (session) => {
      await session.dialect.holdLock(session.db, "operators");
      if (await hasOperatorTokens(session)) return undefined;
      const first = { name: "admin", role: "admin", hash: secret.hash, createdBy: "system" } as const;
      const row = await insertOperatorToken(session, first);
      await keep(secret.text);
      await recordAudit(session, {
        actor: "system",
        action: "token.created",
        object: `token:${row.id}`,
        detail: { name: row.name, role: row.role },
      });
      return secret.text;
    });
  }

  async list(): Promise<OperatorTokenRow[]> {
    return this.store.run(listOperatorTokens);
  }

  /** @throws PortolanError NOT_FOUND when there is no such token that still works */
  async revoke(id: number, actor: string): Promise<void> {
    await this.store.transaction(async (session) => {
      if (!(await revokeOperatorToken(session, id))) throw refusal("NOT_FOUND", `no token ${id} to revoke`);
      await recordAudit(session, { actor, action: "token.revoked", object: `token:${id}` });
    });
  }
}

/** Counts an attempt that failed. @returns UNAUTHENTICATED with this message, or RATE_LIMITED when it is one too many */
export function refuseAttempt(limiter: AttemptLimiter, address: string, message: string): Error {
  const retryAfterSeconds = limiter.count(address);
  if (retryAfterSeconds !== undefined) return tooManyAttempts(retryAfterSeconds);
  return refusal("UNAUTHENTICATED", message);
}

export function tooManyAttempts(retryAfterSeconds: number): Error {
  return refusal(
    "RATE_LIMITED",
    `Rate limit exceeded. Maximum ${AUTH_ATTEMPTS_PER_MINUTE} attempts per minute.`,
    { retryAfterSeconds },
  );
}
