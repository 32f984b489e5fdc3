/** What a user may force of the way out: the interface and our address. Checked here, before a kernel's odd answer. */

import { UsageError } from "#shared/errors.ts";
import {
  type AddressFamily,
  type AddressWords,
  formatWords,
  wordsOfIpv4,
  wordsOfIpv6,
} from "../targets/address-words.ts";
import type { LinkInfo, Netlink } from "./netlink.ts";
import type { RouteOptions } from "./route-types.ts";

/** @throws UsageError NO_SUCH_INTERFACE or INTERFACE_DOWN */
export function forcedInterface(
  links: ReadonlyMap<number, LinkInfo>,
  name: string | undefined,
): LinkInfo | undefined {
  if (name === undefined) return undefined;
  const link = [...links.values()].find((candidate) => candidate.name === name);
  if (link === undefined) {
    const names = [...links.values()].map((candidate) => candidate.name).join(", ");
    throw new UsageError("NO_SUCH_INTERFACE", `there is no interface '${name}' here; there are: ${names}`);
  }
  if (!link.up) {
    throw new UsageError("INTERFACE_DOWN", `the interface '${name}' is down: ip link set ${name} up`);
  }
  return link;
}

/**
 * Our address that the user asked for, or undefined where the kernel shall choose.
 * @throws UsageError NO_SUCH_ADDRESS for an address of another host: its answers would go there
 * @throws UsageError NO_ADDRESS where the forced interface has none of the family to choose from
 */
export function forcedSource(
  kernel: Pick<Netlink, "routeTo" | "addresses">,
  { sourceAddresses }: RouteOptions,
  family: AddressFamily,
  link: LinkInfo | undefined,
): AddressWords | undefined {
  const source = family === 4 ? wordsOf4(sourceAddresses.v4) : wordsOf6(sourceAddresses.v6);
  if (source === undefined) {
    if (link !== undefined && !hasAddress(kernel, family, link)) {
      throw new UsageError("NO_ADDRESS", `the interface '${link.name}' has no IPv${family} address`);
    }
    return undefined;
  }
  // Not looked up among the interfaces' addresses: all of 127.0.0.0/8 is ours, and local routes add more.
  if (kernel.routeTo(family, source, { linkIndex: 0, source: undefined }).kind !== "own") {
    const text = formatWords(family, source);
    throw new UsageError(
      "NO_SUCH_ADDRESS",
      `${text} is no address of this host, so answers would never arrive here`,
    );
  }
  return source;
}

function hasAddress(kernel: Pick<Netlink, "addresses">, family: AddressFamily, link: LinkInfo): boolean {
  return kernel.addresses().some((own) => own.family === family && own.linkIndex === link.index);
}

function wordsOf4(address: number | undefined): AddressWords | undefined {
  return address === undefined ? undefined : wordsOfIpv4(address);
}

function wordsOf6(address: bigint | undefined): AddressWords | undefined {
  return address === undefined ? undefined : wordsOfIpv6(address);
}
