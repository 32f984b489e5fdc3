/** Networks of Open Port Monitor: each a view on one subnet, one port list and one template, made and changed together. */

import type { Log } from "#shared/log.ts";
import type { CatalogueQuery } from "#shared/protocol/catalogue.ts";
import { jobOptionsSchema } from "#shared/protocol/job.ts";
import { DEFAULT_RETRIES } from "#shared/protocol/limits.ts";
import type { NetworkPatch, NetworkRequest, NetworkView } from "#shared/protocol/networks.ts";
import { LINKS, listLinks } from "../store/links.ts";
import {
  deleteNetwork,
  findNetwork,
  insertNetwork,
  listNetworks,
  type NetworkRow,
} from "../store/networks.ts";
import type { Session, Store } from "../store/store.ts";
import { requireReferences, writeCatalogue } from "./catalogue-rules.ts";
import { networkPortSpec, portListSpec } from "./network-ports.ts";
import { type Page, pageOf } from "./page.ts";
import { changePortList, createPortList, deletePortList } from "./port-lists.ts";
import { refusal } from "./refusal.ts";
import {
  changeScanTemplate,
  createScanTemplate,
  deleteScanTemplate,
  requireUnusedTemplate,
} from "./scan-templates.ts";
import { readJson } from "./stored-json.ts";
import { changeSubnet, createSubnet, deleteSubnet } from "./subnets.ts";
import { isoTime } from "./time.ts";

const PORT_FIELD = "port_spec";

export class Networks {
  private readonly deps: { readonly store: Store; readonly log: Log };

  constructor(store: Store, log: Log) {
    this.deps = { store, log };
  }

  async list({ limit, cursor, q }: CatalogueQuery): Promise<Page<NetworkView>> {
    return this.deps.store.run(async (session) => {
      const page = pageOf(await listNetworks(session, { limit: limit + 1, after: cursor, q }), limit);
      return { ...page, rows: await viewNetworks(session, page.rows) };
    });
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<NetworkView> {
    return this.deps.store.run((session) => viewNetwork(session, id));
  }

  /**
   * Makes a subnet, a port list and a template of the network's name.
   * @throws PortolanError INVALID_TARGET, SCOPE_TOO_LARGE, INVALID_PORT, INVALID_REQUEST, CONFLICT, LIMIT_REACHED
   */
  async create(request: NetworkRequest, actor: string): Promise<NetworkView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      const id = await createNetwork(session, request, actor);
      const result = await viewNetwork(session, id);
      const detail = { name: result.name, cidr: result.cidr, templateId: result.template_id };
      return { result, entry: { action: "network.created", object: `network:${id}`, detail } };
    });
  }

  /** Replaces all of it. @throws PortolanError NOT_FOUND, and as `create` */
  async replace(id: number, request: NetworkRequest, actor: string): Promise<NetworkView> {
    return this.patch(id, request, actor);
  }

  /** Changes what is given. @throws as `replace` */
  async patch(id: number, patch: NetworkPatch, actor: string): Promise<NetworkView> {
    return writeCatalogue(this.deps, actor, async (session) => {
      await changeNetwork(session, id, patch);
      const result = await viewNetwork(session, id);
      const detail = { name: result.name, cidr: result.cidr, changed: Object.keys(patch) };
      return { result, entry: { action: "network.updated", object: `network:${id}`, detail } };
    });
  }

  /** Its subnet, port list and template go with it. @throws PortolanError NOT_FOUND, IN_USE where another needs one */
  async delete(id: number, actor: string): Promise<void> {
    await writeCatalogue(this.deps, actor, async (session) => {
      const { name, subnet_id, port_list_id, template_id } = await requireNetwork(session, id);
      await requireUnusedTemplate(session, template_id, "network");
      await deleteNetwork(session, id);
      await deleteScanTemplate(session, template_id);
      await deletePortList(session, port_list_id);
      await deleteSubnet(session, subnet_id);
      return {
        result: undefined,
        entry: { action: "network.deleted", object: `network:${id}`, detail: { name } },
      };
    });
  }
}

async function createNetwork(session: Session, request: NetworkRequest, actor: string): Promise<number> {
  const { name, description, scan_protocol: protocol, scanner_type } = request;
  const spec = portListSpec(request.port_spec, protocol, scanner_type !== "nmap");
  const subnetId = await createSubnet(
    session,
    {
      name,
      description,
      cidr: request.cidr,
      exclusions: [],
      rateLimit: request.rate,
      scannerIds: await scannerIdsOf(session, request.scanner_id),
      groupIds: [],
    },
    actor,
  );
  const portListId = await createPortList(
    session,
    { name, description, spec, rateLimit: 0 },
    actor,
    PORT_FIELD,
  );
  const templateId = await createScanTemplate(
    session,
    {
      name,
      description,
      engine: scanner_type === "nmap" ? "nmap" : "syn",
      protocol,
      serviceDetection: request.service_detection,
      scanTimeoutSeconds: request.scan_timeout,
      portTimeoutMs: request.port_timeout,
      retries: DEFAULT_RETRIES,
      reportStates: ["open"],
      subnetIds: [subnetId],
      discoveryListIds: [],
      portListIds: [portListId],
    },
    actor,
  );
  return insertNetwork(session, { subnet_id: subnetId, port_list_id: portListId, template_id: templateId });
}

async function changeNetwork(session: Session, id: number, patch: NetworkPatch): Promise<void> {
  const row = await requireNetwork(session, id);
  const shared = { name: patch.name, description: patch.description };
  await changeSubnet(session, row.subnet_id, {
    ...shared,
    cidr: patch.cidr,
    rateLimit: patch.rate,
    ...(patch.scanner_id === undefined ? {} : { scannerIds: await scannerIdsOf(session, patch.scanner_id) }),
  });
  await changePortList(session, row.port_list_id, { ...shared, spec: changedSpec(row, patch) }, PORT_FIELD);
  await changeScanTemplate(session, row.template_id, {
    ...shared,
    engine: changedEngine(row, patch),
    protocol: patch.scan_protocol,
    serviceDetection: patch.service_detection,
    scanTimeoutSeconds: patch.scan_timeout,
    portTimeoutMs: patch.port_timeout,
  });
}

/** Undefined where nothing that the ports depend on is changed. */
function changedSpec(row: NetworkRow, patch: NetworkPatch): string | undefined {
  const { port_spec, scan_protocol, scanner_type } = patch;
  if ((port_spec ?? scan_protocol ?? scanner_type) === undefined) return undefined;
  const isNmap = scanner_type === undefined ? row.engine === "nmap" : scanner_type === "nmap";
  const spec = port_spec ?? networkPortSpec(row.spec, row.protocol);
  return portListSpec(spec, scan_protocol ?? row.protocol, !isNmap);
}

/** `masscan` is any engine of ours: it leaves alone which. */
function changedEngine({ engine }: NetworkRow, { scanner_type }: NetworkPatch): NetworkRow["engine"] {
  if (scanner_type === undefined) return engine;
  if (scanner_type === "nmap") return "nmap";
  return engine === "nmap" ? "syn" : engine;
}

/** @throws PortolanError INVALID_REQUEST for a scanner that there is not */
async function scannerIdsOf(session: Session, scannerId: number | null): Promise<number[]> {
  return requireReferences(session, "scanner_id", "scanners", scannerId === null ? [] : [scannerId]);
}

async function requireNetwork(session: Session, id: number): Promise<NetworkRow> {
  const row = await findNetwork(session, id);
  if (row === undefined) throw refusal("NOT_FOUND", `no network ${id}`);
  return row;
}

async function viewNetwork(session: Session, id: number): Promise<NetworkView> {
  const [view] = await viewNetworks(session, [await requireNetwork(session, id)]);
  if (view === undefined) throw refusal("NOT_FOUND", `no network ${id}`);
  return view;
}

async function viewNetworks(session: Session, rows: readonly NetworkRow[]): Promise<NetworkView[]> {
  const scanners = await listLinks(
    session,
    LINKS.subnetScanners,
    rows.map((row) => row.subnet_id),
  );
  return rows.map((row) => {
    const options = readJson(jobOptionsSchema, row.options);
    const updatedAt = Math.max(row.subnet_updated_at, row.port_list_updated_at, row.template_updated_at);
    return {
      id: row.id,
      name: row.name,
      description: row.description,
      cidr: row.cidr,
      port_spec: networkPortSpec(row.spec, row.protocol),
      scanner_id: scanners.get(row.subnet_id)?.[0] ?? null,
      scanner_type: row.engine === "nmap" ? "nmap" : "masscan",
      scan_protocol: row.protocol,
      service_detection: row.service_detection === 1,
      rate: row.rate_limit,
      scan_timeout: options.scanTimeoutSeconds,
      port_timeout: options.portTimeoutMs,
      is_ipv6: row.cidr.includes(":"),
      subnet_id: row.subnet_id,
      port_list_id: row.port_list_id,
      template_id: row.template_id,
      created_at: isoTime(row.created_at),
      updated_at: isoTime(updatedAt),
    };
  });
}
