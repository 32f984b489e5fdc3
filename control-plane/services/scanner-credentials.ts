/**
 * Whose a scanner's credential is: its key, or a short-lived token that stands for the key. While a key is rotated, the
 * former one is accepted too, until the new one is used. What the scanner may do with it is decided elsewhere.
 */

import type { Log } from "#shared/log.ts";
import { endRotation } from "../store/scanner-keys.ts";
import { findScanner, findScannerByKeyHash, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import { type AccessTokens, keyMark } from "./access-tokens.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { recordAudit } from "./audit.ts";
import { tooManyAttempts } from "./operators.ts";
import { equalHashes, hashSecret } from "./secrets.ts";

export interface ScannerCredential {
  readonly kind: "key" | "token";
  readonly text: string;
}

/** A scanner whose credential was accepted for this call. */
export interface AdmittedScanner extends ScannerRow {
  /** Of the key that it showed, or that its token stands for. */
  readonly shownKeyHash: string;
}

export type CredentialOutcome =
  | { readonly scanner: AdmittedScanner }
  | { readonly message: string; readonly replacedKeyOf?: ScannerRow | undefined };

interface ShownKey {
  readonly scanner: ScannerRow;
  readonly keyHash: string;
}

const REPLACED = "the API key was replaced; register again with a new provisioning token";
const EXPIRED = "the access token has expired; get a new one from /scanner/auth";

export class ScannerCredentials {
  private readonly store: Store;
  private readonly log: Log;
  private readonly tokens: AccessTokens;
  private readonly limiter: AttemptLimiter;

  constructor(store: Store, log: Log, tokens: AccessTokens, limiter: AttemptLimiter) {
    this.store = store;
    this.log = log;
    this.tokens = tokens;
    this.limiter = limiter;
  }

  /**
   * Wrong credentials count against the address; a token that has expired does not: its owner need not guess.
   * @throws PortolanError RATE_LIMITED after too many wrong ones
   */
  async check(credential: ScannerCredential | undefined, address: string): Promise<CredentialOutcome> {
    const shown = credential === undefined ? undefined : await this.find(credential);
    if (shown === "expired") return { message: EXPIRED };
    const scanner = shown === undefined ? undefined : await this.accept(shown);
    if (scanner !== undefined) return { scanner };
    const retryAfterSeconds = this.limiter.count(address);
    if (retryAfterSeconds !== undefined) throw tooManyAttempts(retryAfterSeconds);
    if (shown !== undefined) return { message: REPLACED, replacedKeyOf: shown.scanner };
    return { message: unknownCredential(credential) };
  }

  private async find({ kind, text }: ScannerCredential): Promise<ShownKey | "expired" | undefined> {
    if (kind === "key") {
      const keyHash = hashSecret(text);
      const scanner = await this.store.run((session) => findScannerByKeyHash(session, keyHash));
      return scanner === undefined ? undefined : { scanner, keyHash };
    }
    const claims = await this.tokens.verify(text);
    if (claims === undefined || claims === "expired") return claims;
    const scanner = await this.store.run((session) => findScanner(session, claims.scannerId));
    if (scanner === undefined) return undefined;
    const keyHash = [scanner.api_key_hash, scanner.former_key_hash].find(
      (hash) => hash !== null && equalHashes(keyMark(hash), claims.keyMark),
    );
    return { scanner, keyHash: keyHash ?? "" };
  }

  private async accept({ scanner, keyHash }: ShownKey): Promise<AdmittedScanner | undefined> {
    const { api_key_hash: present, former_key_hash: former, former_key_expires_at: formerEnd } = scanner;
    if (present !== null && equalHashes(present, keyHash)) {
      const isRotated = formerEnd !== null && (await this.endRotation(scanner, keyHash));
      const rotation = isRotated ? { former_key_expires_at: null, rotation_requested_at: null } : {};
      return { ...scanner, ...rotation, shownKeyHash: keyHash };
    }
    const isGraceful = formerEnd !== null && scanner.now_ms < formerEnd;
    if (isGraceful && former !== null && equalHashes(former, keyHash)) {
      return { ...scanner, shownKeyHash: keyHash };
    }
    return undefined;
  }

  private async endRotation({ id, name }: ScannerRow, keyHash: string): Promise<boolean> {
    const isFirst = await this.store.transaction(async (session) => {
      if (!(await endRotation(session, id, keyHash))) return false;
      await recordAudit(session, {
        actor: `scanner:${name}`,
        action: "scanner.key-rotated",
        object: `scanner:${id}`,
      });
      return true;
    });
    if (isFirst) this.log.info("scanner.key-rotated", `Scanner ${name} uses its new key`, { scannerId: id });
    return isFirst;
  }
}

function unknownCredential(credential: ScannerCredential | undefined): string {
  if (credential === undefined) return "this needs a scanner's key in the header X-API-Key";
  return credential.kind === "key" ? "the API key is unknown" : "the access token is not valid";
}
