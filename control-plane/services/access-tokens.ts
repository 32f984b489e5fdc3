/**
 * Short-lived tokens that stand for a scanner's key (JWT, HMAC-SHA-256). All replicas sign with one key, which is in the
 * database, and time is the database's. A token ends with the key that it stands for.
 */

import { randomBytes } from "node:crypto";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { ACCESS_TOKEN_TTL_SECONDS } from "#shared/protocol/limits.ts";
import { findSigningKey, insertSigningKey } from "../store/signing-keys.ts";
import type { Store } from "../store/store.ts";
import { hashSecret } from "./secrets.ts";

const KEY_NAME = "scanner-access";
const KEY_BYTES = 32;
const ALGORITHM = "HS256";
const AUDIENCE = "scanner";
const ISSUER = "portolan-control";

const claimsSchema = z.object({
  sub: z.string().regex(/^[1-9]\d{0,15}$/),
  key: z.string(),
});

export interface AccessTokenClaims {
  readonly scannerId: number;
  /** Tells which of the scanner's keys it stands for; see `keyMark`. */
  readonly keyMark: string;
}

/** What a token says of the key: enough to tell keys apart, and nothing to look one up by. */
export function keyMark(keyHash: string): string {
  return hashSecret(keyHash);
}

export class AccessTokens {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  async issue(claims: AccessTokenClaims): Promise<string> {
    const { key, nowSeconds } = await this.signingKey();
    return new SignJWT({ key: claims.keyMark })
      .setProtectedHeader({ alg: ALGORITHM, typ: "JWT" })
      .setSubject(String(claims.scannerId))
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + ACCESS_TOKEN_TTL_SECONDS)
      .sign(key);
  }

  /** `expired` when it was one of ours; undefined when it is none. */
  async verify(token: string): Promise<AccessTokenClaims | "expired" | undefined> {
    const { key, nowSeconds } = await this.signingKey();
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ["exp"],
        currentDate: new Date(nowSeconds * 1_000),
      });
      const claims = claimsSchema.safeParse(payload);
      return claims.success ? { scannerId: Number(claims.data.sub), keyMark: claims.data.key } : undefined;
    } catch (error) {
      if (error instanceof errors.JWTExpired) return "expired";
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  /** Makes the key where there is none; of replicas that do so at the same time, one key is kept. */
  private async signingKey(): Promise<{ key: Uint8Array; nowSeconds: number }> {
    const row = await this.store.run(async (session) => {
      const known = await findSigningKey(session, KEY_NAME);
      if (known !== undefined) return known;
      await insertSigningKey(session, KEY_NAME, randomBytes(KEY_BYTES).toString("base64url"));
      return findSigningKey(session, KEY_NAME);
    });
    if (row === undefined) throw new Error("the signing key was made and is not there");
    return { key: Buffer.from(row.secret, "base64url"), nowSeconds: Math.floor(row.now_ms / 1_000) };
  }
}
