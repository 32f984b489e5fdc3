/** What one answer says, and how it is filled in and checked: shared by everything that reads answers. */

import { probeCookie, probeCookie6 } from "./cookie.ts";

/** One parsed answer, reused for every packet so that none is allocated. Valid while `parseReply` said so. */
export interface Reply {
  /** 4 or 6. */
  family: number;
  /** The address that was probed, whoever answered: four int32 words, see targets/address-words.ts. */
  t0: number;
  t1: number;
  t2: number;
  t3: number;
  /** The kind of the probe that is answered. */
  kind: number;
  /** 0 for an echo. */
  targetPort: number;
  /** The probe's source port, or the echo's identifier. */
  ourPort: number;
  /** Place in REASON_NAMES. */
  reason: number;
  /** Of the answer as it came: time to live, or hop limit. */
  ttl: number;
}

export function newReply(): Reply {
  return {
    family: 0,
    t0: 0,
    t1: 0,
    t2: 0,
    t3: 0,
    kind: 0,
    targetPort: 0,
    ourPort: 0,
    reason: 0,
    ttl: 0,
  };
}

/** Fills the reply in. The address that was probed lies at `targetAt`. */
export function fillReply(
  view: DataView,
  family: number,
  targetAt: number,
  kind: number,
  targetPort: number,
  ourPort: number,
  reason: number,
  ttl: number,
  reply: Reply,
): true {
  const isIpv4 = family === 4;
  reply.family = family;
  reply.t0 = isIpv4 ? 0 : view.getInt32(targetAt);
  reply.t1 = isIpv4 ? 0 : view.getInt32(targetAt + 4);
  reply.t2 = isIpv4 ? 0 : view.getInt32(targetAt + 8);
  reply.t3 = view.getInt32(isIpv4 ? targetAt : targetAt + 12);
  reply.kind = kind;
  reply.targetPort = targetPort;
  reply.ourPort = ourPort;
  reply.reason = reason;
  reply.ttl = ttl;
  return true;
}

/** The cookie of the probe from the address at `sourceAt` to the one at `targetAt`. */
export function cookieAt(
  view: DataView,
  family: number,
  targetAt: number,
  sourceAt: number,
  k0: number,
  k1: number,
  ports: number,
): number {
  if (family === 4) return probeCookie(k0, k1, view.getInt32(targetAt), view.getInt32(sourceAt), ports);
  return probeCookie6(
    k0,
    k1,
    view.getInt32(targetAt),
    view.getInt32(targetAt + 4),
    view.getInt32(targetAt + 8),
    view.getInt32(targetAt + 12),
    view.getInt32(sourceAt),
    view.getInt32(sourceAt + 4),
    view.getInt32(sourceAt + 8),
    view.getInt32(sourceAt + 12),
    ports,
  );
}

export function sameAddress(view: DataView, family: number, one: number, other: number): boolean {
  if (view.getInt32(one) !== view.getInt32(other)) return false;
  if (family === 4) return true;
  return (
    view.getInt32(one + 4) === view.getInt32(other + 4) &&
    view.getInt32(one + 8) === view.getInt32(other + 8) &&
    view.getInt32(one + 12) === view.getInt32(other + 12)
  );
}
