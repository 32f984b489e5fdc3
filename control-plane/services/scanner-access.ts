/**
 * Who may call the scanner API, and from where. Every refusal of a known scanner is written on its record.
 *
 * The binding is checked on every heartbeat, and on polls of scanners that have nothing to do: a scanner whose address
 * changes in the middle of a job finishes it. Calls about a job need its lease, which only its holder knows.
 */

import type { Log } from "#shared/log.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { hasActiveJobs } from "../store/jobs.ts";
import { bindScanner, recordRejection, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import type { AsnDatabase } from "./asn-database.ts";
import { recordAudit } from "./audit.ts";
import { boundValue, type Caller, checkBinding } from "./binding.ts";
import { parseAddress } from "./network.ts";
import { refusal } from "./refusal.ts";
import type { AdmittedScanner, ScannerCredential, ScannerCredentials } from "./scanner-credentials.ts";

/**
 * What the scanner calls for: `job` is every call about a job it holds, `download` fetches an agent's binary, `rotate`
 * a new key, `token` a short-lived one.
 */
export type Purpose = "heartbeat" | "poll" | "job" | "download" | "rotate" | "token";

/** What a disabled scanner may call for: it finishes what it runs. */
const WHILE_DISABLED: ReadonlySet<Purpose> = new Set(["job"]);
/** What a scanner may call for that no operator has approved: it is seen, and does nothing. */
const WHILE_UNAPPROVED: ReadonlySet<Purpose> = new Set(["heartbeat", "download", "rotate", "token"]);
/** What the binding is for. A token is worth no more than the key: each call with it is checked. */
const BOUND: ReadonlySet<Purpose> = new Set(["heartbeat", "poll", "rotate"]);

export interface OutdatedWire {
  /** What the agent speaks. */
  readonly version: number;
  readonly minWireVersion: number;
}

export class ScannerAccess {
  private readonly store: Store;
  private readonly log: Log;
  private readonly credentials: ScannerCredentials;
  private readonly asnDatabase: AsnDatabase | undefined;

  constructor(store: Store, log: Log, credentials: ScannerCredentials, asnDatabase: AsnDatabase | undefined) {
    this.store = store;
    this.log = log;
    this.credentials = credentials;
    this.asnDatabase = asnDatabase;
  }

  /**
   * @throws PortolanError INVALID_API_KEY, SCANNER_DISABLED, SCANNER_NOT_APPROVED, IP_BINDING_VIOLATION, or RATE_LIMITED
   *   after too many wrong credentials; a right one always passes
   */
  async admit(
    credential: ScannerCredential | undefined,
    address: string,
    purpose: Purpose,
  ): Promise<AdmittedScanner> {
    const scanner = await this.authenticate(credential, address);
    const { name } = scanner;
    if (scanner.disabled_at !== null && !(await this.isAllowedWhileDisabled(scanner, purpose))) {
      throw await this.reject(scanner, address, "SCANNER_DISABLED", `scanner '${name}' is disabled`);
    }
    if (scanner.unapproved_at !== null && !WHILE_UNAPPROVED.has(purpose)) {
      const message = `scanner '${name}' waits for an operator's approval`;
      throw await this.reject(scanner, address, "SCANNER_NOT_APPROVED", message);
    }
    if (BOUND.has(purpose)) await this.enforceBinding(scanner, address, purpose);
    return scanner;
  }

  /**
   * @param credential of whoever calls; a scanner that it belongs to gets the refusal on its record
   * @returns AGENT_OUTDATED
   * @throws PortolanError INVALID_API_KEY, or RATE_LIMITED after too many wrong credentials
   */
  async refuseOutdated(
    credential: ScannerCredential | undefined,
    address: string,
    wire: OutdatedWire,
  ): Promise<Error> {
    const { version, minWireVersion } = wire;
    const message = `this agent speaks wire version ${version}, and ${minWireVersion} is the oldest that is served: upgrade the agent`;
    if (credential === undefined) return refusal("AGENT_OUTDATED", message, { minWireVersion });
    const scanner = await this.authenticate(credential, address);
    return this.reject(scanner, address, "AGENT_OUTDATED", message, { minWireVersion });
  }

  private async authenticate(
    credential: ScannerCredential | undefined,
    address: string,
  ): Promise<AdmittedScanner> {
    const outcome = await this.credentials.check(credential, address);
    if ("scanner" in outcome) return outcome.scanner;
    const { replacedKeyOf, message } = outcome;
    if (replacedKeyOf === undefined) throw refusal("INVALID_API_KEY", message);
    throw await this.reject(replacedKeyOf, address, "INVALID_API_KEY", message);
  }

  /** With a short-lived token, what runs can only be finished by fetching another. */
  private async isAllowedWhileDisabled(scanner: ScannerRow, purpose: Purpose): Promise<boolean> {
    if (WHILE_DISABLED.has(purpose)) return true;
    return purpose === "token" && (await this.isBusy(scanner));
  }

  private isBusy(scanner: ScannerRow): Promise<boolean> {
    return this.store.run((session) => hasActiveJobs(session, scanner.id));
  }

  private async enforceBinding(scanner: ScannerRow, address: string, purpose: Purpose): Promise<void> {
    const caller = await this.callerAt(scanner, address);
    const verdict = checkBinding({ mode: scanner.binding_mode, value: scanner.binding_value }, caller);
    if (verdict === "allowed") return;
    if (purpose === "poll" && (await this.isBusy(scanner))) return;
    if (verdict === "unbound" && (await this.bind(scanner, caller))) return;
    const message = `scanner '${scanner.name}' may not call from ${address}; release its binding if it has moved`;
    throw await this.reject(scanner, address, "IP_BINDING_VIOLATION", message);
  }

  private async callerAt(scanner: ScannerRow, text: string): Promise<Caller> {
    const address = parseAddress(text);
    if (scanner.binding_mode !== "asn" || address === undefined) return { address, asn: undefined };
    return { address, asn: await this.asnDatabase?.lookup(address) };
  }

  /** False when a call from elsewhere bound the scanner just before. */
  private async bind(scanner: ScannerRow, caller: Caller): Promise<boolean> {
    const { binding_mode: mode } = scanner;
    const value = boundValue(mode, caller);
    if (value === undefined) return false;
    const isBound = await this.store.transaction(async (session) => {
      if (!(await bindScanner(session, scanner.id, value))) return false;
      await recordAudit(session, {
        actor: `scanner:${scanner.name}`,
        action: "scanner.bound",
        object: `scanner:${scanner.id}`,
        detail: { mode, value },
      });
      return true;
    });
    if (isBound)
      this.log.info("scanner.bound", `Scanner ${scanner.name} bound to ${value}`, { scannerId: scanner.id });
    return isBound;
  }

  private async reject(
    scanner: ScannerRow,
    address: string,
    code: ErrorCode,
    message: string,
    details?: Readonly<Record<string, unknown>>,
  ): Promise<Error> {
    const isMismatch = code === "IP_BINDING_VIOLATION";
    await this.store.run((session) => recordRejection(session, scanner.id, { code, address, isMismatch }));
    this.log.warning("scanner.rejected", `Scanner ${scanner.name} was refused`, {
      scannerId: scanner.id,
      code,
      address,
    });
    return refusal(code, message, details);
  }
}
