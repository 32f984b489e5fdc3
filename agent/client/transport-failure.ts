/** Why a call got no answer, in words for people; and whether the control plane may have seen it all the same. */

import { errorMessage } from "#shared/errors.ts";

export interface TransportFailure {
  /** `UNREACHABLE`: it was never sent. `NO_ANSWER`: it may have been carried out, and only the answer was lost. */
  readonly code: "UNREACHABLE" | "NO_ANSWER";
  readonly reason: string;
}

/** By the codes of Node.js and OpenSSL that Bun's fetch gives. */
const NEVER_SENT: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused; is it running, and is the port right?",
  ENOTFOUND: "its name cannot be resolved",
  EAI_AGAIN: "its name cannot be resolved right now",
  EHOSTUNREACH: "there is no way to its host",
  ENETUNREACH: "there is no way to its network",
};

const UNTRUSTED =
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_\w+|ERR_TLS_CERT_\w+)$/;

export function explainTransportFailure(cause: unknown): TransportFailure {
  // A DOMException has a number there, which tells nobody anything.
  const code = cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
  const known = NEVER_SENT[code];
  if (known !== undefined) return { code: "UNREACHABLE", reason: known };
  if (UNTRUSTED.test(code)) {
    const reason = `its certificate is not trusted (${code}); for a private authority give --ca-file`;
    return { code: "UNREACHABLE", reason };
  }
  if (cause instanceof Error && cause.name === "TimeoutError") {
    return { code: "NO_ANSWER", reason: "no answer in time" };
  }
  return {
    code: "NO_ANSWER",
    reason: `the connection was cut (${code === "" ? errorMessage(cause) : code})`,
  };
}
