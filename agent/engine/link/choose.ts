/** Picks the link for a scan: the best that this host allows, with the reason, for people. */

import { checked, libc, SystemCallError } from "../../ffi/libc.ts";
import { AF_PACKET, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { UsageError } from "#shared/errors.ts";
import type { LinkName, ProbeKind } from "../plan.ts";

/** Undefined where packet sockets may be opened, else why not, with what mends it. */
export function rawSocketProblem(): string | undefined {
  try {
    libc.close(
      checked(libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", "opening a packet socket"),
    );
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return error.errno === "EPERM"
      ? "raw sockets need root or CAP_NET_RAW"
      : `raw sockets are not available here (${error.errno})`;
  }
}

export interface LinkChoice {
  readonly kind: ProbeKind;
  /** Let the kernel route every packet. */
  readonly forceRaw: boolean;
  /** Why not the better one; undefined where the best was taken or a link was asked for. */
  readonly note: string | undefined;
}

/** @throws UsageError NO_PRIVILEGE where a link was asked for that this process may not use */
export function chooseLink(wanted: LinkName): LinkChoice {
  if (wanted === "connect") return { kind: "connect", forceRaw: false, note: undefined };
  const problem = rawSocketProblem();
  if (problem === undefined) return { kind: "syn", forceRaw: wanted === "raw", note: undefined };
  if (wanted === "auto") {
    return { kind: "connect", forceRaw: false, note: `${problem}; using ordinary connections instead` };
  }
  throw new UsageError(
    "NO_PRIVILEGE",
    `cannot use the ${wanted} link: ${problem}; run with sudo, or leave --link out to use ordinary connections`,
  );
}
