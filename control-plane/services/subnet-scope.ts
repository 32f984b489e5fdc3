/** A subnet as an operator writes it, read into the addresses that are probed. */

import { type AddressSet, countAddresses, emptyAddressSet } from "#shared/net/address-set.ts";
import { formatAddressSet, parseExclusions, parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import { fieldError, readingField } from "./field-errors.ts";

/** One address, or one network: no range, no pattern and no list. */
const ONE_NETWORK = /^[0-9a-f:.]+(?:\/\d+)?$/i;

export interface SubnetScope {
  /** Canonical text: bits beyond the prefix are zero. */
  readonly cidr: string;
  readonly addresses: AddressSet;
  readonly hosts: number;
}

/**
 * @param field what the errors call the CIDR
 * @throws PortolanError INVALID_TARGET or SCOPE_TOO_LARGE, with the field and the token that is wrong
 */
export function readSubnet(cidr: string, exclusions: readonly string[], path = ""): SubnetScope {
  const field = `${path}cidr`;
  if (!ONE_NETWORK.test(cidr)) {
    const why = "expected one network, like 10.0.0.0/24 or 2001:db8::/112";
    throw fieldError("INVALID_TARGET", field, cidr, why);
  }
  const network = readingField(field, () => parseTargets([cidr]));
  const excluded = readingField(`${path}exclusions`, () => excludedAddresses(exclusions));
  const addresses = probedAddresses(network, excluded);
  const hosts = countAddresses(addresses);
  if (hosts === 0) throw fieldError("INVALID_TARGET", field, cidr, "it has no address that may be probed");
  const [text = cidr] = formatAddressSet(network);
  return { cidr: text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`, addresses, hosts };
}

/** The addresses of a subnet as it is stored. */
export function storedSubnetAddresses(cidr: string, exclusions: readonly string[]): AddressSet {
  return probedAddresses(parseTargets([cidr]), excludedAddresses(exclusions));
}

/** Most subnets have none, and there may be 50,000 subnets. */
function excludedAddresses(exclusions: readonly string[]): AddressSet {
  return exclusions.length === 0 ? emptyAddressSet : parseExclusions(exclusions);
}
