/** Host names into addresses, by this host's own resolver: /etc/hosts and DNS, as every other program here sees them. */

import { lookup } from "node:dns/promises";
import { UsageError } from "#shared/errors.ts";
import { formatAddress, parseAddress } from "#shared/net/address.ts";
import { AddressCollector, type AddressSet } from "#shared/net/address-set.ts";
import { excerpt } from "#shared/net/excerpt.ts";

/** Questions under way at once. */
const MAX_CONCURRENT = 16;

export interface ResolvedHosts {
  readonly addresses: AddressSet;
  /** Canonical addresses of each name, in the resolver's order. */
  readonly ofName: ReadonlyMap<string, readonly string[]>;
}

/** Addresses of one name as text; fails as `node:dns` does. */
export type Resolver = (name: string, family: 4 | 6 | undefined) => Promise<readonly string[]>;

/**
 * Every address of every name. Each name is asked for once, however often it is given.
 * @param family undefined takes both
 * @throws UsageError HOST_NOT_FOUND naming a host without an address
 */
export async function resolveHostnames(
  names: readonly string[],
  family?: 4 | 6,
  resolver: Resolver = askHost,
): Promise<ResolvedHosts> {
  const distinct = [...new Set(names)];
  const found: (readonly string[])[] = distinct.map(() => []);
  const waiting = distinct.entries();
  // One iterator for all: each worker takes the next name that nobody has taken.
  const work = async (): Promise<void> => {
    for (const [index, name] of waiting) found[index] = await addressesOf(name, family, resolver);
  };
  await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, distinct.length) }, work));
  return {
    addresses: setOf(found.flat()),
    ofName: new Map(distinct.map((name, index) => [name, found[index] ?? []])),
  };
}

async function askHost(name: string, family: 4 | 6 | undefined): Promise<readonly string[]> {
  const answers = await lookup(name, { all: true, family: family ?? 0 });
  return answers.map(({ address }) => address);
}

async function addressesOf(
  name: string,
  family: 4 | 6 | undefined,
  resolver: Resolver,
): Promise<readonly string[]> {
  let answers: readonly string[];
  try {
    answers = await resolver(name, family);
  } catch (cause) {
    throw unresolved(
      name,
      cause instanceof Error && "code" in cause ? String(cause.code) : "",
      family,
      cause,
    );
  }
  // A link-local answer comes with a zone, and is no address to scan.
  const addresses = answers.map(parseAddress).filter((address) => address !== undefined);
  if (addresses.length === 0) throw unresolved(name, "ENODATA", family);
  return [...new Set(addresses.map(formatAddress))];
}

function unresolved(name: string, code: string, family: 4 | 6 | undefined, cause?: unknown): UsageError {
  const kind = family === undefined ? "" : ` IPv${family}`;
  const shown = excerpt(name);
  const message =
    code === "ENOTFOUND" || code === "ENODATA"
      ? `host '${shown}' has no${kind} address; check the name, or give the address itself`
      : `host '${shown}' cannot be looked up (${code || "unknown error"}); check this host's DNS, or give the address itself`;
  return new UsageError("HOST_NOT_FOUND", message, { details: { token: shown }, cause });
}

function setOf(addresses: readonly string[]): AddressSet {
  const collector = new AddressCollector();
  for (const text of addresses) {
    const address = parseAddress(text);
    if (address !== undefined) collector.add(address);
  }
  return collector.take();
}
