/**
 * Bindings: from which addresses a scanner may call. A defence against stolen keys.
 * Pure rules; where the address comes from, and what a violation leads to, is decided elsewhere.
 */

import type { BindingMode } from "#shared/protocol/operator.ts";
import {
  type Address,
  formatAddress,
  formatNetwork,
  networkContains,
  networkOf,
  parseAddress,
  parseNetwork,
} from "./network.ts";
import { refusal } from "./refusal.ts";

/** What a bound `subnet` is when the operator named none. */
const SUBNET_PREFIX = { 4: 24, 6: 64 } as const;

export interface Binding {
  readonly mode: BindingMode;
  /** Address or network; null until the first contact. */
  readonly value: string | null;
}

/**
 * Reads a binding as an operator gives it.
 * @throws PortolanError INVALID_REQUEST saying what is wrong with it
 */
export function parseBinding(mode: BindingMode, value: string | undefined): Binding {
  switch (mode) {
    case "asn":
      throw refusal("INVALID_REQUEST", "binding mode 'asn' is refused: no ASN database is configured");
    case "none":
      if (value === undefined) return { mode, value: null };
      throw refusal("INVALID_REQUEST", "binding mode 'none' takes no bindingValue");
    case "ip":
      return { mode, value: value === undefined ? null : parseBoundAddress(value) };
    case "subnet":
      return { mode, value: value === undefined ? null : parseBoundNetwork(value) };
  }
}

function parseBoundAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined) throw refusal("INVALID_REQUEST", `bindingValue '${text}' is no IP address`);
  return formatAddress(address);
}

function parseBoundNetwork(text: string): string {
  const address = parseAddress(text);
  if (address !== undefined) return boundValue("subnet", address);
  const network = parseNetwork(text);
  if (network === undefined) {
    throw refusal("INVALID_REQUEST", `bindingValue '${text}' is no network like 192.0.2.0/24`);
  }
  return formatNetwork(network);
}

/** What a scanner that first calls from this address is bound to. */
export function boundValue(mode: "ip" | "subnet", address: Address): string {
  if (mode === "ip") return formatAddress(address);
  return formatNetwork(networkOf(address, SUBNET_PREFIX[address.family]));
}

export type BindingVerdict = "allowed" | "unbound" | "violation";

/** `unbound`: this contact is the first and decides the value. An address that cannot be read is a violation. */
export function checkBinding(binding: Binding, address: Address | undefined): BindingVerdict {
  if (binding.mode === "none") return "allowed";
  if (address === undefined) return "violation";
  if (binding.value === null) return "unbound";
  const network = parseNetwork(binding.value);
  return network !== undefined && networkContains(network, address) ? "allowed" : "violation";
}
