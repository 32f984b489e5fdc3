/**
 * Bindings: from which addresses a scanner may call. A defence against stolen keys.
 * Pure rules; where the address comes from, in which autonomous system it is, and what a violation leads to, is decided
 * elsewhere.
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

/** RFC 6793: four octets. */
const MAX_ASN = 2 ** 32 - 1;

/** Who calls, as far as it is known. */
export interface Caller {
  /** Undefined where it cannot be read. */
  readonly address: Address | undefined;
  /** The autonomous system it is in; undefined where none is known, or nothing can be looked up. */
  readonly asn: number | undefined;
}

/** What a bound `subnet` is when the operator named none. */
const SUBNET_PREFIX = { 4: 24, 6: 64 } as const;

export interface Binding {
  readonly mode: BindingMode;
  /** Address, network, or `AS64500`; null until the first contact. */
  readonly value: string | null;
}

/**
 * Reads a binding as an operator gives it.
 * @param canLookUpAsn whether an ASN database is configured
 * @throws PortolanError INVALID_REQUEST saying what is wrong with it
 */
export function parseBinding(mode: BindingMode, value: string | undefined, canLookUpAsn: boolean): Binding {
  switch (mode) {
    case "asn":
      if (canLookUpAsn) return { mode, value: value === undefined ? null : parseBoundAsn(value) };
      throw refusal(
        "INVALID_REQUEST",
        "binding mode 'asn' is refused: no ASN database is configured; start the control plane with --asn-database FILE",
      );
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
  if (address !== undefined) return subnetOf(address);
  const network = parseNetwork(text);
  if (network === undefined) {
    throw refusal("INVALID_REQUEST", `bindingValue '${text}' is no network like 192.0.2.0/24`);
  }
  return formatNetwork(network);
}

function parseBoundAsn(text: string): string {
  const number = Number(/^(?:AS)?(\d{1,10})$/i.exec(text)?.[1]);
  if (number >= 1 && number <= MAX_ASN) return formatAsn(number);
  throw refusal("INVALID_REQUEST", `bindingValue '${text}' is no autonomous system like AS64500`);
}

function formatAsn(number: number): string {
  return `AS${number}`;
}

/** What a scanner that first calls from there is bound to; undefined where its mode cannot be bound to it. */
export function boundValue(mode: BindingMode, { address, asn }: Caller): string | undefined {
  if (address === undefined || mode === "none") return undefined;
  if (mode === "asn") return asn === undefined ? undefined : formatAsn(asn);
  return mode === "ip" ? formatAddress(address) : subnetOf(address);
}

function subnetOf(address: Address): string {
  return formatNetwork(networkOf(address, SUBNET_PREFIX[address.family]));
}

export type BindingVerdict = "allowed" | "unbound" | "violation";

/**
 * `unbound`: this contact is the first and decides the value. What cannot be read or looked up is a violation: a
 * binding that cannot be checked must not let anybody in.
 */
export function checkBinding(binding: Binding, caller: Caller): BindingVerdict {
  if (binding.mode === "none") return "allowed";
  const value = boundValue(binding.mode, caller);
  if (value === undefined || caller.address === undefined) return "violation";
  if (binding.value === null) return "unbound";
  if (binding.mode === "asn") return value === binding.value ? "allowed" : "violation";
  const network = parseNetwork(binding.value);
  return network !== undefined && networkContains(network, caller.address) ? "allowed" : "violation";
}
