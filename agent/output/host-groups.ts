/**
 * Results by host, for the formats that list hosts one by one. Everything reported is held until the end, about 300
 * bytes a result: memory grows with what was found, not with what was asked.
 */

import { type Address, parseAddress } from "#shared/net/address.ts";
import type { HostResult, PortResult } from "#shared/protocol/job.ts";

export interface HostGroup {
  readonly address: string;
  readonly family: 4 | 6;
  /** Undefined where only ports were reported. */
  readonly host: HostResult | undefined;
  /** By protocol, then by number; without the open ones of a suspicious host. */
  readonly ports: readonly PortResult[];
  /** Open ports that are left out, because the host seems to answer on every port. */
  readonly unbelieved: number;
}

export class HostGroups {
  private readonly portsOf = new Map<string, PortResult[]>();
  private readonly hostOf = new Map<string, HostResult>();

  addPorts(results: readonly PortResult[]): void {
    for (const result of results) {
      const ports = this.portsOf.get(result.address);
      if (ports === undefined) this.portsOf.set(result.address, [result]);
      else ports.push(result);
    }
  }

  /** Of two results for one host, what the later one does not say stays. */
  addHosts(results: readonly HostResult[]): void {
    for (const result of results) {
      this.hostOf.set(result.address, { ...this.hostOf.get(result.address), ...result });
    }
  }

  /** All hosts by address, IPv4 first. */
  *inOrder(): Generator<HostGroup> {
    const addresses = [...new Set([...this.hostOf.keys(), ...this.portsOf.keys()])]
      .map((text) => ({ text, address: parsed(text) }))
      .toSorted((a, b) => compareAddresses(a.address, b.address));
    for (const { text, address } of addresses) {
      const host = this.hostOf.get(text);
      const all = this.portsOf.get(text) ?? [];
      const believed = host?.suspicious === undefined ? all : all.filter(({ state }) => state !== "open");
      const ports = believed.toSorted((a, b) => a.protocol.localeCompare(b.protocol) || a.port - b.port);
      yield { address: text, family: address.family, host, ports, unbelieved: all.length - ports.length };
    }
  }
}

function parsed(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`a result without an address: ${text}`);
  return address;
}

function compareAddresses(a: Address, b: Address): number {
  return a.family - b.family || (a.value < b.value ? -1 : 1);
}

/** The hardware address of a host and who made it, from whichever result says it. */
export function hardwareOf({
  host,
  ports,
}: HostGroup): { address: string; vendor: string | undefined } | undefined {
  const source = [host, ...ports].find((result) => result?.macAddress !== undefined);
  return source?.macAddress === undefined
    ? undefined
    : { address: source.macAddress, vendor: source.macVendor };
}

/** What is known of a host by its own result, or by its ports: who answers is there. */
export function hostStatus({ host, ports }: HostGroup): {
  readonly state: "up" | "down" | "unknown";
  readonly reason: string;
  readonly ttl: number | undefined;
} {
  if (host !== undefined) return { state: host.state, reason: host.reason, ttl: host.ttl };
  const answer = ports.find(({ state }) => state !== "filtered");
  if (answer === undefined) return { state: "unknown", reason: "no-response", ttl: undefined };
  return { state: "up", reason: answer.reason, ttl: answer.ttl };
}
