/** What a scanner gets for its key: a new key when an operator asked for that, and short-lived tokens. */

import type { Log } from "#shared/log.ts";
import { ACCESS_TOKEN_TTL_SECONDS, KEY_ROTATION_GRACE_MS } from "#shared/protocol/limits.ts";
import {
  API_KEY_PREFIX,
  type RotateKeyResponse,
  type ScannerAuthResponse,
} from "#shared/protocol/scanner.ts";
import { rotateApiKey } from "../store/scanner-keys.ts";
import type { Store } from "../store/store.ts";
import { type AccessTokens, keyMark } from "./access-tokens.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { recordAudit } from "./audit.ts";
import { tooManyAttempts } from "./operators.ts";
import { refusal } from "./refusal.ts";
import type { ScannerAccess } from "./scanner-access.ts";
import type { AdmittedScanner, ScannerCredential } from "./scanner-credentials.ts";
import { createSecret } from "./secrets.ts";
import { isoTime } from "./time.ts";

export class ScannerKeys {
  private readonly store: Store;
  private readonly log: Log;
  private readonly access: ScannerAccess;
  private readonly tokens: AccessTokens;
  private readonly limiter: AttemptLimiter;

  /** @param limiter of calls for tokens: all count, also good ones */
  constructor(store: Store, log: Log, access: ScannerAccess, tokens: AccessTokens, limiter: AttemptLimiter) {
    this.store = store;
    this.log = log;
    this.access = access;
    this.tokens = tokens;
    this.limiter = limiter;
  }

  /**
   * The new key, shown this once. The one that was shown works until the new one is used, or the grace is over.
   * @throws PortolanError CONFLICT when no operator asked for it: a stolen key must not be traded for a fresh one
   */
  async rotate(scanner: AdmittedScanner): Promise<RotateKeyResponse> {
    const { id, name, shownKeyHash: usedHash } = scanner;
    const key = createSecret(API_KEY_PREFIX);
    const formerEnd = await this.store.transaction(async (session) => {
      const keys = { usedHash, newHash: key.hash, graceMs: KEY_ROTATION_GRACE_MS };
      const expiresAt = await rotateApiKey(session, id, keys);
      if (expiresAt === undefined) {
        throw refusal("CONFLICT", `scanner '${name}' was not asked for a new key`);
      }
      await recordAudit(session, {
        actor: `scanner:${name}`,
        action: "scanner.key-issued",
        object: `scanner:${id}`,
        detail: { formerKeyExpiresAt: isoTime(expiresAt) },
      });
      return expiresAt;
    });
    this.log.info("scanner.key-issued", `Scanner ${name} was given a new key`, { scannerId: id });
    return { apiKey: key.text, formerKeyExpiresAt: isoTime(formerEnd) };
  }

  /**
   * Who asks for a token. Every attempt counts, good ones included.
   * @throws PortolanError RATE_LIMITED, and what `ScannerAccess.admit` throws
   */
  async admitForToken(credential: ScannerCredential | undefined, address: string): Promise<AdmittedScanner> {
    const retryAfterSeconds = this.limiter.count(address);
    if (retryAfterSeconds !== undefined) throw tooManyAttempts(retryAfterSeconds);
    return this.access.admit(credential, address, "token");
  }

  /** A token that stands for the key that was shown. */
  async issueToken({ id, name, shownKeyHash }: AdmittedScanner): Promise<ScannerAuthResponse> {
    return {
      access_token: await this.tokens.issue({ scannerId: id, keyMark: keyMark(shownKeyHash) }),
      token_type: "bearer",
      expires_in: ACCESS_TOKEN_TTL_SECONDS,
      scanner_id: id,
      scanner_name: name,
    };
  }
}
