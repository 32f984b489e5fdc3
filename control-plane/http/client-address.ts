/**
 * Who calls. The connection's other end, unless that is a proxy we were told to trust: then the last hop of
 * X-Forwarded-For that is not itself such a proxy. Anyone can write the entries to the left of it, so they count for
 * nothing.
 */

import type { MiddlewareHandler } from "hono";
import { formatAddress, type Network, networkContains, parseAddress } from "../services/network.ts";
import type { AppEnv } from "./environment.ts";

/** The caller's address in canonical form. */
export function clientAddress(
  peer: string,
  forwardedFor: string | undefined,
  trustedProxies: readonly Network[],
): string {
  const hops = (forwardedFor ?? "").split(",").map((hop) => hop.trim());
  let caller = canonical(peer);
  while (isTrusted(caller, trustedProxies)) {
    const hop = hops.pop();
    // A hop that cannot be read ends the trail: the proxy before it is as far as we know.
    if (hop === undefined || parseAddress(hop) === undefined) break;
    caller = canonical(hop);
  }
  return caller;
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : formatAddress(address);
}

/** True for the address of a proxy that we were told to trust. */
export function isTrusted(text: string, trustedProxies: readonly Network[]): boolean {
  const address = parseAddress(text);
  return address !== undefined && trustedProxies.some((network) => networkContains(network, address));
}

export function noteClientAddress(trustedProxies: readonly Network[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("clientAddress", clientAddress(c.env.peerAddress, c.req.header("x-forwarded-for"), trustedProxies));
    await next();
  };
}
