/** Why a server could not be reached, in words for whoever typed the command. */

import { errorMessage } from "#shared/errors.ts";

/** By the codes of Bun's `fetch`. */
const REASONS = new Map([
  ["ECONNREFUSED", "connection refused; is it running, and is the port right?"],
  ["ENOTFOUND", "its name cannot be resolved"],
  ["EAI_AGAIN", "its name cannot be resolved right now"],
  ["EHOSTUNREACH", "there is no way to its host"],
  ["ENETUNREACH", "there is no way to its network"],
  ["ECONNRESET", "it closed the connection; does it expect https?"],
  ["EPROTO", "the TLS handshake failed; does it speak https on this port?"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "its certificate is for another name"],
  ["CERT_HAS_EXPIRED", "its certificate has expired"],
]);

/** What OpenSSL says of a chain that ends in nothing we trust. */
const UNTRUSTED = /SELF_SIGNED_CERT|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED/;

/** @param error what `fetch` threw */
export function whyUnreachable(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "it did not answer in time";
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (UNTRUSTED.test(code)) return "its certificate is not trusted; give its authority's with --ca-file";
  return REASONS.get(code) ?? errorMessage(error);
}
