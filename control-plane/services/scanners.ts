/** Scanners as operators configure them. What a scanner itself may do is in `scanner-access.ts`. */

import type { Log } from "#shared/log.ts";
import type { BindingUpdateRequest, ScannerUpdateRequest } from "#shared/protocol/administration.ts";
import { MAX_SCANNERS } from "#shared/protocol/limits.ts";
import type { ScannerCreateRequest, ScannerView } from "#shared/protocol/operator.ts";
import { endJob, listOpenJobs } from "../store/jobs.ts";
import { revokeProvisioningTokens } from "../store/provisioning-tokens.ts";
import {
  countScanners,
  findScanner,
  findScannerByName,
  insertScanner,
  listScanners,
  lockScanners,
  markDeleted,
  replaceApiKey,
  type ScannerRow,
  setDisabled,
  updateScanner,
} from "../store/scanners.ts";
import { lockScan } from "../store/scans.ts";
import type { Session, Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { parseBinding } from "./binding.ts";
import { issueProvisioningToken, type ProvisioningToken } from "./provisioning.ts";
import { refusal } from "./refusal.ts";
import { settleScan } from "./scan-outcome.ts";
import { scannerView } from "./scanner-view.ts";

export interface ProvisionedScanner {
  readonly scanner: ScannerView;
  readonly provisioning: ProvisioningToken;
}

export class Scanners {
  private readonly store: Store;
  private readonly log: Log;

  constructor(store: Store, log: Log) {
    this.store = store;
    this.log = log;
  }

  async list(): Promise<ScannerView[]> {
    const rows = await this.store.run(listScanners);
    return rows.map(scannerView);
  }

  /** @throws PortolanError NOT_FOUND */
  async get(id: number): Promise<ScannerView> {
    return scannerView(await this.store.run((session) => requireScanner(session, id)));
  }

  /** @throws PortolanError CONFLICT when the name is taken, INVALID_REQUEST for the binding, LIMIT_REACHED */
  async create(request: ScannerCreateRequest, actor: string): Promise<ProvisionedScanner> {
    const binding = parseBinding(request.bindingMode, request.bindingValue);
    const created = await this.store.transaction(async (session) => {
      await session.dialect.holdLock(session.db, "scannerNames");
      await requireFreeName(session, request.name);
      if ((await countScanners(session)) >= MAX_SCANNERS) {
        throw refusal("LIMIT_REACHED", `there are ${MAX_SCANNERS} scanners already, which is the most`);
      }
      const id = await insertScanner(session, {
        name: request.name,
        description: request.description,
        rate_limit: request.rateLimit,
        binding_mode: binding.mode,
        binding_value: binding.value,
        created_by: actor,
      });
      const provisioning = await issueProvisioningToken(session, id);
      const scanner = scannerView(await requireScanner(session, id));
      const detail = { name: request.name, bindingMode: binding.mode, rateLimit: request.rateLimit };
      await recordAudit(session, { actor, action: "scanner.created", object: `scanner:${id}`, detail });
      return { scanner, provisioning };
    });
    this.log.info("scanner.created", `Scanner ${request.name} was added`, {
      scannerId: created.scanner.id,
      actor,
    });
    return created;
  }

  /** @throws PortolanError NOT_FOUND, CONFLICT when the name is taken */
  async update(id: number, request: ScannerUpdateRequest, actor: string): Promise<ScannerView> {
    return this.change(id, actor, "scanner.updated", { ...request }, async (session, scanner) => {
      await session.dialect.holdLock(session.db, "scannerNames");
      if (request.name !== undefined && request.name !== scanner.name)
        await requireFreeName(session, request.name);
      await updateScanner(session, id, {
        name: request.name ?? scanner.name,
        description: request.description ?? scanner.description,
        rate_limit: request.rateLimit ?? scanner.rate_limit,
      });
    });
  }

  /** @throws PortolanError NOT_FOUND, INVALID_REQUEST */
  async setBinding(id: number, request: BindingUpdateRequest, actor: string): Promise<ScannerView> {
    const { mode, value } = parseBinding(request.bindingMode, request.bindingValue);
    return this.change(id, actor, "scanner.binding-changed", { mode, value }, (session) =>
      updateScanner(session, id, { binding_mode: mode, binding_value: value, mismatch_count: 0 }),
    );
  }

  /** The scanner binds anew at its next contact. @throws PortolanError NOT_FOUND */
  async releaseBinding(id: number, actor: string): Promise<ScannerView> {
    return this.change(id, actor, "scanner.binding-released", {}, (session) =>
      updateScanner(session, id, { binding_value: null, mismatch_count: 0 }),
    );
  }

  /** A disabled scanner gets no new jobs; those it runs go on. @throws PortolanError NOT_FOUND */
  async setDisabled(id: number, disabled: boolean, actor: string): Promise<ScannerView> {
    return this.change(id, actor, disabled ? "scanner.disabled" : "scanner.enabled", {}, (session) =>
      setDisabled(session, id, disabled),
    );
  }

  /** The former token and the key stop working at once. @throws PortolanError NOT_FOUND */
  async regenerateToken(id: number, actor: string): Promise<ProvisionedScanner> {
    const { scanner, made } = await this.changeAndMake(
      id,
      actor,
      "scanner.token-regenerated",
      {},
      async (session) => {
        await revokeProvisioningTokens(session, id);
        await replaceApiKey(session, id, null);
        return issueProvisioningToken(session, id);
      },
    );
    return { scanner, provisioning: made };
  }

  /** Revokes its access and fails its jobs. Its results stay. @throws PortolanError NOT_FOUND */
  async delete(id: number, actor: string): Promise<void> {
    await this.store.transaction(async (session) => {
      await lockScanners(session, [id]);
      const scanner = await requireScanner(session, id);
      await revokeProvisioningTokens(session, id);
      await replaceApiKey(session, id, null);
      await markDeleted(session, id);
      for (const job of await listOpenJobs(session, id)) {
        await lockScan(session, job.scan_id);
        await endJob(session, job.id, { status: "failed", errorMessage: "the scanner was deleted" });
        await settleScan(session, job.scan_id);
      }
      const detail = { name: scanner.name };
      await recordAudit(session, { actor, action: "scanner.deleted", object: `scanner:${id}`, detail });
    });
    this.log.info("scanner.deleted", `Scanner ${id} was deleted`, { scannerId: id, actor });
  }

  private async change(...work: Parameters<typeof this.changeAndMake<void>>): Promise<ScannerView> {
    return (await this.changeAndMake(...work)).scanner;
  }

  /** Does the work and records it. Returns the scanner as it is then, and what the work made. */
  private async changeAndMake<T>(
    id: number,
    actor: string,
    action: string,
    detail: Readonly<Record<string, unknown>>,
    work: (session: Session, scanner: ScannerRow) => Promise<T>,
  ): Promise<{ scanner: ScannerView; made: T }> {
    const changed = await this.store.transaction(async (session) => {
      const made = await work(session, await requireScanner(session, id));
      const scanner = scannerView(await requireScanner(session, id));
      await recordAudit(session, { actor, action, object: `scanner:${id}`, detail });
      return { scanner, made };
    });
    this.log.info(action, `Scanner ${changed.scanner.name} was changed`, { scannerId: id, actor });
    return changed;
  }
}

async function requireScanner(session: Session, id: number): Promise<ScannerRow> {
  const scanner = await findScanner(session, id);
  if (scanner === undefined) throw refusal("NOT_FOUND", `no scanner ${id}`);
  return scanner;
}

async function requireFreeName(session: Session, name: string): Promise<void> {
  if ((await findScannerByName(session, name)) === undefined) return;
  throw refusal("CONFLICT", `there is a scanner named '${name}' already`);
}
