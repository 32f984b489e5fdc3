/**
 * Provisioning: one-time tokens by which a host becomes a scanner. A token serves once within its hour; the host that
 * used it may ask again within that hour, in case the answer was lost, and gets a fresh key in place of the former.
 * Enrolment tokens, by which many hosts make themselves scanners, come the same way and are handed on.
 */

import type { Log } from "#shared/log.ts";
import { PROVISIONING_TOKEN_TTL_MS } from "#shared/protocol/limits.ts";
import {
  ENROLMENT_TOKEN_PREFIX,
  PROVISIONING_TOKEN_PREFIX,
  type RegisterRequest,
  type RegisterResponse,
} from "#shared/protocol/scanner.ts";
import {
  consumeProvisioningToken,
  findProvisioningToken,
  insertProvisioningToken,
  type ProvisioningTokenRow,
} from "../store/provisioning-tokens.ts";
import { findScanner } from "../store/scanners.ts";
import type { Session, Store } from "../store/store.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { enrol, enrolmentRefusalReason } from "./enrolment.ts";
import { tooManyAttempts } from "./operators.ts";
import { refusal } from "./refusal.ts";
import { admitHost } from "./registration.ts";
import { createSecret, equalHashes, hashSecret } from "./secrets.ts";

export interface ProvisioningToken {
  /** Shown this once. */
  readonly token: string;
  readonly expiresAtMs: number;
}

/** Issues a token, in the transaction that creates the scanner or revokes its former one. */
export async function issueProvisioningToken(
  session: Session,
  scannerId: number,
): Promise<ProvisioningToken> {
  const secret = createSecret(PROVISIONING_TOKEN_PREFIX);
  const ttlMs = PROVISIONING_TOKEN_TTL_MS;
  const expiresAtMs = await insertProvisioningToken(session, { scannerId, hash: secret.hash, ttlMs });
  return { token: secret.text, expiresAtMs };
}

const REMEDY = "make a new one with 'regenerate-token'";
const USED = `the provisioning token has been used by another host; ${REMEDY}`;

/** Why the token names no scanner to install, used or not; undefined when it does. */
function refusalReason(row: ProvisioningTokenRow | undefined): string | undefined {
  if (row === undefined)
    return `the provisioning token is unknown; copy the whole install line, or ${REMEDY}`;
  if (row.revoked_at !== null)
    return `the provisioning token was replaced by a newer one; use that, or ${REMEDY}`;
  if (row.now_ms >= row.expires_at) return `the provisioning token has expired; ${REMEDY}`;
  return undefined;
}

export class Provisioning {
  private readonly store: Store;
  private readonly log: Log;
  private readonly limiter: AttemptLimiter;

  constructor(store: Store, log: Log, limiter: AttemptLimiter) {
    this.store = store;
    this.log = log;
    this.limiter = limiter;
  }

  /**
   * Checks a token without using it up, for what is served before registration. A used one still passes within its
   * hour: whoever runs the line again, because an answer was lost, must get as far as registration.
   * @throws PortolanError INVALID_PROVISIONING_TOKEN, or RATE_LIMITED after too many wrong ones
   */
  async check(token: string | undefined, address: string): Promise<void> {
    const reason = await this.store.run((session) => checkToken(session, token ?? ""));
    if (reason === undefined) return;
    const retryAfterSeconds = this.limiter.count(address);
    if (retryAfterSeconds !== undefined) throw tooManyAttempts(retryAfterSeconds);
    throw refusal("INVALID_PROVISIONING_TOKEN", reason);
  }

  /**
   * Trades the token, of either kind, for an API key. Every attempt counts against the address, also a good one.
   * @throws PortolanError INVALID_PROVISIONING_TOKEN, RATE_LIMITED
   */
  async register(request: RegisterRequest, address: string): Promise<RegisterResponse> {
    const retryAfterSeconds = this.limiter.count(address);
    if (retryAfterSeconds !== undefined) throw tooManyAttempts(retryAfterSeconds);
    const answer = await this.store.transaction((session) =>
      isEnrolmentToken(request.token)
        ? enrol(session, request, address)
        : register(session, request, address),
    );
    this.log.info("scanner.registered", `Scanner ${answer.name} registered`, {
      scannerId: answer.scannerId,
      address,
      hostname: request.hostname,
    });
    return answer;
  }
}

async function register(
  session: Session,
  request: RegisterRequest,
  address: string,
): Promise<RegisterResponse> {
  const hash = hashSecret(request.token);
  const isFirst = await consumeProvisioningToken(session, hash, request.installId);
  const token = await findProvisioningToken(session, hash);
  const isRepeat = token?.used_install_id === request.installId;
  const reason = refusalReason(token) ?? (isFirst || isRepeat ? undefined : USED);
  if (token === undefined || reason !== undefined) {
    throw refusal("INVALID_PROVISIONING_TOKEN", reason ?? "the provisioning token is unknown");
  }
  const scanner = await findScanner(session, token.scanner_id);
  if (scanner === undefined) {
    throw refusal("INVALID_PROVISIONING_TOKEN", "the provisioning token's scanner was deleted");
  }
  const action = isFirst ? "scanner.registered" : "scanner.registered-again";
  return admitHost(session, scanner, { request, address, action });
}

function isEnrolmentToken(token: string): boolean {
  return token.startsWith(ENROLMENT_TOKEN_PREFIX);
}

/** Why no host can register with the token now; undefined when one can. */
async function checkToken(session: Session, token: string): Promise<string | undefined> {
  if (isEnrolmentToken(token)) return enrolmentRefusalReason(session, token);
  const hash = hashSecret(token);
  const row = await findProvisioningToken(session, hash);
  return refusalReason(row !== undefined && equalHashes(row.token_hash, hash) ? row : undefined);
}
