/**
 * Browsers' sessions: an operator's token is shown once, and a random id stands for it from then on. The id is kept as
 * its hash only. A session has the role of its token, and ends with it, at sign-out, or after 12 hours.
 */

import { PortolanError } from "#shared/errors.ts";
import { SESSION_TTL_MS } from "#shared/protocol/limits.ts";
import {
  deleteExpiredSessions,
  deleteOperatorSession,
  findLiveSession,
  insertOperatorSession,
  type LiveSessionRow,
} from "../store/operator-sessions.ts";
import { touchOperatorToken } from "../store/operator-tokens.ts";
import type { Session, Store } from "../store/store.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { recordAudit } from "./audit.ts";
import { actorOf, type Operator, type Operators, refuseAttempt } from "./operators.ts";
import { createSecret, equalHashes, hashSecret } from "./secrets.ts";

const SESSION_PREFIX = "ptl_ses_";

export interface OperatorSession {
  readonly operator: Operator;
  readonly expiresAtMs: number;
}

export interface NewSession extends OperatorSession {
  /** For the cookie; known to nobody else. */
  readonly id: string;
}

export class Sessions {
  private readonly store: Store;
  private readonly operators: Operators;
  private readonly limiter: AttemptLimiter;

  constructor(store: Store, operators: Operators, limiter: AttemptLimiter) {
    this.store = store;
    this.operators = operators;
    this.limiter = limiter;
  }

  /** @throws PortolanError UNAUTHENTICATED, noted in the audit log, or RATE_LIMITED after too many wrong tokens */
  async signIn(token: string, address: string): Promise<NewSession> {
    const operator = await this.authenticateSignIn(token, address);
    const secret = createSecret(SESSION_PREFIX);
    return this.store.transaction(async (session) => {
      // Sign-ins are rare enough to clean up at, and no session is made any other way.
      await deleteExpiredSessions(session);
      const row = await insertOperatorSession(session, {
        tokenId: operator.tokenId,
        hash: secret.hash,
        ttlMs: SESSION_TTL_MS,
      });
      await recordAudit(session, {
        actor: actorOf(operator),
        action: "session.created",
        object: `session:${row.id}`,
        detail: { address },
      });
      return { id: secret.text, operator, expiresAtMs: row.expires_at };
    });
  }

  /** The limit on attempts also bounds what strangers can write into the audit log. */
  private async authenticateSignIn(token: string, address: string): Promise<Operator> {
    try {
      return await this.operators.authenticate(token, address);
    } catch (error) {
      if (error instanceof PortolanError && error.code === "UNAUTHENTICATED") {
        const entry = { actor: `address:${address}`, action: "session.refused", object: "session" };
        await this.store.transaction((session) => recordAudit(session, entry));
      }
      throw error;
    }
  }

  /** @throws PortolanError UNAUTHENTICATED, or RATE_LIMITED after too many sessions that are none */
  async authenticate(id: string, address: string): Promise<Operator> {
    const found = await this.find(id);
    if (found !== undefined) return found.operator;
    throw refuseAttempt(this.limiter, address, "the session has ended; sign in again");
  }

  /** Undefined when it has ended. */
  async find(id: string): Promise<OperatorSession | undefined> {
    return this.store.run(async (session) => {
      const row = await findLive(session, id);
      if (row === undefined) return undefined;
      await touchOperatorToken(session, row.token_id);
      return { operator: operatorOf(row), expiresAtMs: row.expires_at };
    });
  }

  /** Nothing happens when it has ended before. */
  async signOut(id: string): Promise<void> {
    await this.store.transaction(async (session) => {
      const row = await findLive(session, id);
      if (row === undefined || !(await deleteOperatorSession(session, row.id))) return;
      const actor = actorOf(operatorOf(row));
      await recordAudit(session, { actor, action: "session.ended", object: `session:${row.id}` });
    });
  }
}

async function findLive(session: Session, id: string): Promise<LiveSessionRow | undefined> {
  const hash = hashSecret(id);
  const row = await findLiveSession(session, hash);
  return row !== undefined && equalHashes(row.session_hash, hash) ? row : undefined;
}

function operatorOf(row: LiveSessionRow): Operator {
  return { tokenId: row.token_id, name: row.name, role: row.role };
}
