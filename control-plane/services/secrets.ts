/**
 * Tokens and keys: made here, shown once, kept as SHA-256 only. A plain hash is enough, since each has 256 random bits
 * that nobody can guess their way through.
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

const SECRET_BYTES = 32;

export interface Secret {
  readonly text: string;
  readonly hash: string;
}

/** @param prefix tells people and secret scanners what it is, e.g. `ptl_key_` */
export function createSecret(prefix: string): Secret {
  const text = prefix + randomBytes(SECRET_BYTES).toString("base64url");
  return { text, hash: hashSecret(text) };
}

/** SHA-256 in hexadecimal. */
export function hashSecret(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Compares hashes in a time that tells nothing about where they differ. */
export function equalHashes(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}
