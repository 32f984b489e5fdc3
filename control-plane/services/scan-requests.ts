/** What operators ask for, as scans to begin: addresses and ports that they wrote down, or a template. */

import { countAddresses, type AddressSet } from "#shared/net/address-set.ts";
import { formatPorts, parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { normalizeRanges } from "#shared/net/ranges.ts";
import { formatAddressSet, parseExclusions, parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { z } from "zod";
import type { scanCreateRequestSchema } from "#shared/protocol/operator.ts";
import { findScannersById } from "../store/scanners.ts";
import type { Session } from "../store/store.ts";
import { refusal } from "./refusal.ts";
import type { ScanStart } from "./scan-start.ts";
import { type ResolvedTemplate, resolveTemplate } from "./template-scope.ts";

export type ScanRequest = z.output<typeof scanCreateRequestSchema>;

/** Sources whose addresses operators are shown, and of each so many ranges are kept in the snapshot. */
const MAX_SHOWN = 1_000;
const MAX_RANGES_IN_SNAPSHOT = 100;

/**
 * Each scanner that is named looks for itself.
 * @throws PortolanError INVALID_TARGET, SCOPE_TOO_LARGE or INVALID_PORT, naming the token that is wrong; NOT_FOUND and
 *   CONFLICT for the scanners
 */
export async function scanOfRequest(session: Session, request: ScanRequest): Promise<ScanStart> {
  const addresses = probedAddresses(parseTargets(request.targets), parseExclusions(request.exclude));
  if (countAddresses(addresses) === 0) {
    throw refusal("INVALID_TARGET", "the targets name no address that may be probed");
  }
  const ports = parsePorts(request.ports);
  const scannerIds = [...new Set(request.scannerIds)];
  await requireUsable(session, scannerIds);
  return {
    name: request.name,
    engine: request.engine,
    serviceDetection: request.serviceDetection,
    priority: request.priority,
    options: {
      retries: request.retries,
      portTimeoutMs: request.portTimeoutMs,
      scanTimeoutSeconds: request.scanTimeoutSeconds,
      reportStates: request.reportStates,
    },
    parts: [
      {
        source: { kind: "scan", id: 0, name: request.name },
        portListId: 0,
        addresses,
        ports,
        subnetRatePps: 0,
        portListRatePps: request.maxProbesPerSecond,
        scannerIds: [],
        groups: [{ scannerIds }],
      },
    ],
    targets: request.targets,
    ports: formatPorts(ports),
    maxPps: request.maxProbesPerSecond,
    templateId: null,
    scheduleId: null,
    snapshot: null,
    expected: [],
  };
}

export interface TemplateRun {
  readonly templateId: number;
  /** The template's where it is undefined. */
  readonly name: string | undefined;
  readonly priority: number;
  readonly scheduleId: number | null;
}

/** @throws PortolanError what `resolveTemplate` throws */
export async function scanOfTemplate(session: Session, run: TemplateRun): Promise<ScanStart> {
  const template = await resolveTemplate(session, run.templateId);
  return {
    name: run.name ?? template.name,
    engine: template.engine,
    serviceDetection: template.serviceDetection,
    priority: run.priority,
    options: template.options,
    parts: template.parts,
    targets: shownTargets(template),
    ports: formatPorts(allPorts(template.parts.map(({ ports }) => ports))),
    maxPps: 0,
    templateId: template.id,
    scheduleId: run.scheduleId,
    snapshot: snapshotOf(template),
    expected: template.expected,
  };
}

async function requireUsable(session: Session, wanted: readonly number[]): Promise<void> {
  const found = await findScannersById(session, wanted);
  const unknown = wanted.filter((id) => !found.some((scanner) => scanner.id === id));
  if (unknown.length > 0)
    throw refusal("NOT_FOUND", `no scanner ${unknown.join(", ")}`, { scannerIds: unknown });
  for (const [why, idle] of [
    ["disabled", found.filter((scanner) => scanner.disabled_at !== null)],
    ["unapproved", found.filter((scanner) => scanner.unapproved_at !== null)],
  ] as const) {
    if (idle.length === 0) continue;
    const names = idle.map((scanner) => `'${scanner.name}'`).join(", ");
    throw refusal("CONFLICT", `${why} scanners get no jobs: ${names}`, {
      scannerIds: idle.map(({ id }) => id),
    });
  }
}

/** The first of the template's addresses, each network once. */
function shownTargets({ parts }: ResolvedTemplate): string[] {
  const shown = new Set<string>();
  for (const addresses of new Set(parts.map((part) => part.addresses))) {
    for (const text of firstRanges(addresses, MAX_SHOWN - shown.size)) shown.add(text);
    if (shown.size >= MAX_SHOWN) break;
  }
  return [...shown];
}

function firstRanges(addresses: AddressSet, max: number): string[] {
  return formatAddressSet(addresses).slice(0, max);
}

function allPorts(sets: readonly PortSet[]): PortSet {
  const distinct = [...new Set(sets)];
  return {
    tcp: normalizeRanges(distinct.flatMap(({ tcp }) => tcp)),
    udp: normalizeRanges(distinct.flatMap(({ udp }) => udp)),
  };
}

function snapshotOf({ id, name, engine, serviceDetection, options, parts }: ResolvedTemplate): object {
  const portLists = new Map(parts.map((part) => [part.portListId, part]));
  return {
    id,
    name,
    engine,
    serviceDetection,
    options,
    portLists: [...portLists.values()].map(({ portListId, ports, portListRatePps }) => ({
      id: portListId,
      ports: formatPorts(ports),
      ratePps: portListRatePps,
    })),
    parts: parts.map((part) => ({
      source: part.source,
      portListId: part.portListId,
      addresses: firstRanges(part.addresses, MAX_RANGES_IN_SNAPSHOT),
      addressCount: countAddresses(part.addresses),
      ratePps: part.subnetRatePps,
      scannerIds: part.scannerIds,
      groups: part.groups,
    })),
  };
}
