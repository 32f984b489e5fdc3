/** Scanners as operators configure them. What a scanner itself may do is in `scanner-access.ts`. */

import type { Log } from "#shared/log.ts";
import type { BindingUpdateRequest, ScannerUpdateRequest } from "#shared/protocol/administration.ts";
import { MAX_SCANNERS } from "#shared/protocol/limits.ts";
import type { ScannerCreateRequest, ScannerView } from "#shared/protocol/operator.ts";
import { revokeProvisioningTokens } from "../store/provisioning-tokens.ts";
import { setApproved } from "../store/scanner-enrolment.ts";
import { replaceApiKey, requestRotation } from "../store/scanner-keys.ts";
import {
  countScanners,
  findScanner,
  findScannerByName,
  insertScanner,
  listScanners,
  lockScanners,
  markDeleted,
  type ScannerRow,
  setDisabled,
  updateScanner,
} from "../store/scanners.ts";
import type { Session, Store } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { parseBinding } from "./binding.ts";
import { requireUnused } from "./catalogue-rules.ts";
import { issueProvisioningToken, type ProvisioningToken } from "./provisioning.ts";
import { refusal } from "./refusal.ts";
import { leaveJobs } from "./scanner-departure.ts";
import { scannerView } from "./scanner-view.ts";

export interface ProvisionedScanner {
  readonly scanner: ScannerView;
  readonly provisioning: ProvisioningToken;
}

export class Scanners {
  private readonly store: Store;
  private readonly log: Log;
  private readonly canLookUpAsn: boolean;

  constructor(store: Store, log: Log, canLookUpAsn: boolean) {
    this.store = store;
    this.log = log;
    this.canLookUpAsn = canLookUpAsn;
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
    const binding = parseBinding(request.bindingMode, request.bindingValue, this.canLookUpAsn);
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
    const { mode, value } = parseBinding(request.bindingMode, request.bindingValue, this.canLookUpAsn);
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

  /**
   * Without approval a scanner's heartbeats are taken, and nothing else of it.
   * @throws PortolanError NOT_FOUND, or CONFLICT for a scanner that has never registered
   */
  async setApproved(id: number, approved: boolean, actor: string): Promise<ScannerView> {
    const action = approved ? "scanner.approved" : "scanner.approval-revoked";
    return this.change(id, actor, action, {}, async (session, scanner) => {
      requireRegistered(scanner);
      await setApproved(session, id, approved);
    });
  }

  /**
   * Its agent is told with its next heartbeat's answer, and fetches a new key.
   * @throws PortolanError NOT_FOUND, or CONFLICT for a scanner that has no key
   */
  async rotateKey(id: number, actor: string): Promise<ScannerView> {
    return this.change(id, actor, "scanner.key-rotation-requested", {}, async (session, scanner) => {
      requireRegistered(scanner);
      await requestRotation(session, id);
    });
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

  /** Revokes its access and fails its jobs. Its results stay. @throws PortolanError NOT_FOUND, IN_USE */
  async delete(id: number, actor: string): Promise<void> {
    await this.store.transaction(async (session) => {
      // Nothing may come to refer to it while it is looked whether anything does.
      await session.dialect.holdLock(session.db, "catalogue");
      await lockScanners(session, [id]);
      const scanner = await requireScanner(session, id);
      await requireUnused(session, "scanners", id);
      await revokeProvisioningTokens(session, id);
      await replaceApiKey(session, id, null);
      await markDeleted(session, id);
      await leaveJobs(session, id);
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

function requireRegistered({ name, api_key_hash: keyHash }: ScannerRow): void {
  if (keyHash === null) throw refusal("CONFLICT", `scanner '${name}' has no key: it has yet to register`);
}

async function requireFreeName(session: Session, name: string): Promise<void> {
  if ((await findScannerByName(session, name)) === undefined) return;
  throw refusal("CONFLICT", `there is a scanner named '${name}' already`);
}
