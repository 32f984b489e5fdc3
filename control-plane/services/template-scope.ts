/**
 * What a template means now: each of its subnets and discovery lists with each of its port lists, as addresses and
 * ports, and who scans them at which limits. Planning jobs from it is left to dispatch.
 */

import { z } from "zod";
import { AddressCollector, type AddressSet, emptyAddressSet } from "#shared/net/address-set.ts";
import { parseAddress } from "#shared/net/address.ts";
import { countPorts, parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { probedAddresses } from "#shared/net/target-spec.ts";
import { type JobOptions, jobOptionsSchema, type ScanEngine } from "#shared/protocol/job.ts";
import type { ScanProtocol } from "#shared/protocol/scan-templates.ts";
import { listAddressTexts } from "../store/discovery-addresses.ts";
import { listDiscoveryListsOfTemplate } from "../store/discovery-lists.ts";
import { listExpectedResults } from "../store/expected-results.ts";
import { LINKS, listLinks, listLinksThrough } from "../store/links.ts";
import { listPortListsOfTemplate } from "../store/port-lists.ts";
import { findScanTemplate } from "../store/scan-templates.ts";
import type { Session } from "../store/store.ts";
import { listSubnetsOfTemplate } from "../store/subnets.ts";
import { requireRow } from "./catalogue-rules.ts";
import { refusal } from "./refusal.ts";
import { readJson } from "./stored-json.ts";
import { storedSubnetAddresses } from "./subnet-scope.ts";

const textsSchema = z.array(z.string());

export interface ScannerGroupScope {
  readonly id: number;
  /** Each is a vantage point of its own. */
  readonly scannerIds: readonly number[];
}

/** A subnet or discovery list. */
export interface ScopeSource {
  readonly kind: "subnet" | "discovery";
  readonly id: number;
  readonly name: string;
}

/** A subnet or discovery list, and who scans it. */
export interface SourceScope {
  readonly source: ScopeSource;
  /** Exclusions, and what is never probed, are taken out. */
  readonly addresses: AddressSet;
  /** 0 is unlimited. Divided equally among the scanners that scan it through a group. */
  readonly subnetRatePps: number;
  /** Assigned directly: they stand for each other, one vantage point. */
  readonly scannerIds: readonly number[];
  readonly groups: readonly ScannerGroupScope[];
}

export interface PortListScope {
  readonly portListId: number;
  /** Of the template's protocol. */
  readonly ports: PortSet;
  /** 0 is unlimited. */
  readonly portListRatePps: number;
}

/** One subnet or discovery list with one port list. */
export type ScopePart = SourceScope & PortListScope;

export interface ExpectedResult {
  readonly address: string;
  readonly protocol: "tcp" | "udp";
  readonly port: number;
  readonly state: "open" | "closed" | "filtered";
}

export interface ResolvedTemplate {
  readonly id: number;
  readonly name: string;
  readonly engine: ScanEngine;
  readonly serviceDetection: boolean;
  readonly options: JobOptions;
  readonly parts: readonly ScopePart[];
  readonly expected: readonly ExpectedResult[];
}

/** What a template refers to, before it is combined. */
export interface TemplateScope {
  readonly sources: readonly SourceScope[];
  readonly portLists: readonly PortListScope[];
}

/**
 * The template as a scan begins with it: no change of the catalogue comes between, until the transaction ends. Locks the
 * catalogue, so rows that its changes lock too, scanners and schedules, are to be locked after. Sources that no scanner
 * is assigned to are left out.
 * @throws PortolanError NOT_FOUND, TEMPLATE_EMPTY when there is nothing that a scanner could scan
 */
export async function resolveTemplate(session: Session, id: number): Promise<ResolvedTemplate> {
  await session.dialect.holdLock(session.db, "catalogue");
  const template = requireRow("scan_templates", id, await findScanTemplate(session, id));
  const { sources, portLists } = await loadTemplateScope(session, id, template.protocol);
  const parts = sources
    .filter(isRunnable)
    .flatMap((source) =>
      portLists.filter(({ ports }) => countPorts(ports) > 0).map((portList) => partOf(source, portList)),
    );
  if (parts.length === 0) throw emptyTemplate(template.name, sources);
  const expected = await listExpectedResults(session, id);
  return {
    id,
    name: template.name,
    engine: template.engine,
    serviceDetection: template.service_detection === 1,
    options: readJson(jobOptionsSchema, template.options),
    parts,
    expected: expected.map(({ address, protocol, port, state }) => ({ address, protocol, port, state })),
  };
}

function partOf(source: SourceScope, portList: PortListScope): ScopePart {
  return { ...source, ...portList };
}

/** All that the template refers to, also what nobody scans. */
export async function loadTemplateScope(
  session: Session,
  id: number,
  protocol: ScanProtocol,
): Promise<TemplateScope> {
  const portLists = (await listPortListsOfTemplate(session, id)).map((row) => ({
    portListId: row.id,
    ports: portsOf(row.canonical, protocol),
    portListRatePps: row.rate_limit,
  }));
  const groupScopes = await loadGroups(session, id);
  const sources = [
    ...(await loadSubnets(session, id, groupScopes)),
    ...(await loadDiscoveryLists(session, id, groupScopes)),
  ];
  return { sources, portLists };
}

/** True when there are addresses and somebody who may scan them. */
export function isRunnable({ addresses, scannerIds, groups }: SourceScope): boolean {
  return (scannerIds.length > 0 || groups.length > 0) && addresses.v4.length + addresses.v6.length > 0;
}

function portsOf(canonical: string, protocol: ScanProtocol): PortSet {
  const { tcp, udp } = parsePorts(canonical);
  return { tcp: protocol === "udp" ? [] : tcp, udp: protocol === "tcp" ? [] : udp };
}

/** The groups of each source of the template. */
interface GroupsOfSources {
  readonly subnets: (id: number) => readonly ScannerGroupScope[];
  readonly discoveryLists: (id: number) => readonly ScannerGroupScope[];
}

async function loadGroups(session: Session, id: number): Promise<GroupsOfSources> {
  const subnets = await listLinksThrough(session, LINKS.templateSubnets, id, LINKS.subnetGroups);
  const { templateDiscoveryLists, discoveryGroups, groupMembers } = LINKS;
  const discoveryLists = await listLinksThrough(session, templateDiscoveryLists, id, discoveryGroups);
  const groupIds = new Set([...subnets.values(), ...discoveryLists.values()].flat());
  const members = await listLinks(session, groupMembers, [...groupIds]);
  const scopes = new Map([...members].map(([group, scannerIds]) => [group, { id: group, scannerIds }]));
  const groupsOf =
    (links: ReadonlyMap<number, readonly number[]>) =>
    (source: number): readonly ScannerGroupScope[] =>
      (links.get(source) ?? []).flatMap((group) => scopes.get(group) ?? []);
  return { subnets: groupsOf(subnets), discoveryLists: groupsOf(discoveryLists) };
}

async function loadSubnets(session: Session, id: number, groups: GroupsOfSources): Promise<SourceScope[]> {
  const rows = await listSubnetsOfTemplate(session, id);
  const scanners = await listLinksThrough(session, LINKS.templateSubnets, id, LINKS.subnetScanners);
  return rows.map((row) => ({
    source: { kind: "subnet", id: row.id, name: row.name },
    addresses: storedSubnetAddresses(
      row.cidr,
      row.exclusions === "[]" ? [] : readJson(textsSchema, row.exclusions),
    ),
    subnetRatePps: row.rate_limit,
    scannerIds: scanners.get(row.id) ?? [],
    groups: groups.subnets(row.id),
  }));
}

async function loadDiscoveryLists(
  session: Session,
  id: number,
  groups: GroupsOfSources,
): Promise<SourceScope[]> {
  const { templateDiscoveryLists, discoveryScanners } = LINKS;
  const scanners = await listLinksThrough(session, templateDiscoveryLists, id, discoveryScanners);
  const sources: SourceScope[] = [];
  for (const row of await listDiscoveryListsOfTemplate(session, id)) {
    sources.push({
      source: { kind: "discovery", id: row.id, name: row.name },
      addresses: addressesOf(await listAddressTexts(session, row.id)),
      subnetRatePps: row.rate_limit,
      scannerIds: scanners.get(row.id) ?? [],
      groups: groups.discoveryLists(row.id),
    });
  }
  return sources;
}

function addressesOf(texts: readonly string[]): AddressSet {
  const collector = new AddressCollector();
  for (const text of texts) {
    const address = parseAddress(text);
    if (address !== undefined) collector.add(address);
  }
  return probedAddresses(collector.take(), emptyAddressSet);
}

function emptyTemplate(name: string, sources: readonly SourceScope[]) {
  const unassigned = sources.filter(({ scannerIds, groups }) => scannerIds.length + groups.length === 0);
  const [first] = unassigned;
  const why =
    first === undefined
      ? "its sources and port lists hold nothing for its protocol"
      : `no scanner is assigned to ${first.source.kind} '${first.source.name}'` +
        (unassigned.length > 1 ? ` and ${unassigned.length - 1} more` : "");
  return refusal("TEMPLATE_EMPTY", `template '${name}' has nothing to scan: ${why}`, {
    unassigned: unassigned.slice(0, 20).map(({ source }) => source),
  });
}
