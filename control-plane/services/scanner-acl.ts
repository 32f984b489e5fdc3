/**
 * From where scanners call, written for firewalls. Only addresses and networks that were read by us and are written by
 * us get into a rule, and names only as comments of letters, digits and hyphens: nothing that anybody typed can become
 * a rule or a command.
 */

import type { AclFormat, CloudflareItems, ScannerAcl } from "#shared/protocol/scanner-acl.ts";
import { listScanners, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import { formatAddress, formatNetwork, type Network, parseNetwork } from "./network.ts";

export class ScannerAcls {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** All scanners but those that are disabled and have nothing to finish. */
  async read(): Promise<ScannerAcl> {
    const rows = await this.store.run(listScanners);
    return scannerAcl(rows.filter(({ disabled_at, active_jobs }) => disabled_at === null || active_jobs > 0));
  }
}

type Entry = ScannerAcl["allowed"][number];

function scannerAcl(rows: readonly ScannerRow[]): ScannerAcl {
  const allowed: Entry[] = [];
  const unlisted: ScannerAcl["unlisted"] = [];
  for (const { id, name, binding_mode: bindingMode, binding_value: value } of rows) {
    const network = value === null || bindingMode === "asn" ? undefined : parseNetwork(value);
    if (network === undefined) unlisted.push({ scannerId: id, name, bindingMode });
    else allowed.push({ scannerId: id, name, network: formatNetwork(network), family: network.base.family });
  }
  return { allowed, unlisted };
}

/** @param port that the control plane is reached at */
export function formatAcl(
  acl: ScannerAcl,
  format: Exclude<AclFormat, "json" | "cloudflare">,
  port: number,
): string {
  const lines = format === "nginx" ? nginxLines(acl) : iptablesLines(acl, port);
  return lines.map((line) => `${line}\n`).join("");
}

function nginxLines({ allowed, unlisted }: ScannerAcl): string[] {
  return [
    "# For `location /scanner/`: from where scanners may call.",
    ...unlistedLines(unlisted),
    ...allowed.map(({ network, name }) => `allow ${bare(network)}; # ${plain(name)}`),
    "deny all;",
  ];
}

function iptablesLines({ allowed, unlisted }: ScannerAcl, port: number): string[] {
  return [
    "#!/bin/sh",
    `# From where scanners may reach port ${port}. What else may, and that all others may not, is for you to add.`,
    ...unlistedLines(unlisted),
    ...allowed.map(({ network, family, name }) => {
      const command = family === 4 ? "iptables" : "ip6tables";
      return `${command} -A INPUT -p tcp --dport ${port} -s ${network} -m comment --comment portolan:${plain(name)} -j ACCEPT`;
    }),
  ];
}

function unlistedLines(unlisted: ScannerAcl["unlisted"]): string[] {
  return unlisted.map(
    ({ name, bindingMode }) => `# not here, as its binding names no network: ${plain(name)} (${bindingMode})`,
  );
}

export function cloudflareItems({ allowed }: ScannerAcl): CloudflareItems {
  return allowed.map(({ network, name }) => ({ ip: bare(network), comment: `portolan:${plain(name)}` }));
}

/** A network of one is written as its address. */
function bare(text: string): string {
  const network = parseNetwork(text);
  return network !== undefined && isSingle(network) ? formatAddress(network.base) : text;
}

function isSingle({ base, prefixLength }: Network): boolean {
  return prefixLength === (base.family === 4 ? 32 : 128);
}

/** Names are of these characters already; a database that was changed by hand may hold others. */
function plain(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9-]/g, "-");
}
