/**
 * Who may call the scanner API, and from where. Every refusal of a known scanner is written on its record.
 *
 * The binding is checked on every heartbeat, and on polls of scanners that have nothing to do: a scanner whose address
 * changes in the middle of a job finishes it. Calls about a job need its lease, which only its holder knows.
 */

import type { Log } from "#shared/log.ts";
import type { ErrorCode } from "#shared/protocol/errors.ts";
import { hasActiveJobs } from "../store/jobs.ts";
import { bindScanner, findScannerByKeyHash, recordRejection, type ScannerRow } from "../store/scanners.ts";
import type { Store } from "../store/store.ts";
import type { AttemptLimiter } from "./attempt-limiter.ts";
import { recordAudit } from "./audit.ts";
import { boundValue, checkBinding } from "./binding.ts";
import { type Address, parseAddress } from "./network.ts";
import { tooManyAttempts } from "./operators.ts";
import { refusal } from "./refusal.ts";
import { equalHashes, hashSecret } from "./secrets.ts";

/** What the scanner calls for: `job` is every call about a job it holds, `download` fetches an agent's binary. */
export type Purpose = "heartbeat" | "poll" | "job" | "download";

export interface OutdatedWire {
  /** What the agent speaks. */
  readonly version: number;
  readonly minWireVersion: number;
}

/** A scanner whose credential was accepted for this call. */
export type AdmittedScanner = ScannerRow;

export class ScannerAccess {
  private readonly store: Store;
  private readonly log: Log;
  private readonly limiter: AttemptLimiter;

  constructor(store: Store, log: Log, limiter: AttemptLimiter) {
    this.store = store;
    this.log = log;
    this.limiter = limiter;
  }

  /**
   * @throws PortolanError INVALID_API_KEY, SCANNER_DISABLED, IP_BINDING_VIOLATION, or RATE_LIMITED after too many
   *   wrong keys; a right key always passes
   */
  async admit(apiKey: string | undefined, address: string, purpose: Purpose): Promise<AdmittedScanner> {
    const scanner = await this.authenticate(apiKey, address);
    if (scanner.disabled_at !== null && purpose !== "job") {
      throw await this.reject(scanner, address, "SCANNER_DISABLED", `scanner '${scanner.name}' is disabled`);
    }
    if (purpose === "heartbeat" || purpose === "poll") await this.enforceBinding(scanner, address, purpose);
    return scanner;
  }

  /**
   * @param apiKey of whoever calls; a scanner that it belongs to gets the refusal on its record
   * @returns AGENT_OUTDATED
   * @throws PortolanError INVALID_API_KEY, or RATE_LIMITED after too many wrong keys
   */
  async refuseOutdated(apiKey: string | undefined, address: string, wire: OutdatedWire): Promise<Error> {
    const { version, minWireVersion } = wire;
    const message = `this agent speaks wire version ${version}, and ${minWireVersion} is the oldest that is served: upgrade the agent`;
    if (apiKey === undefined) return refusal("AGENT_OUTDATED", message, { minWireVersion });
    const scanner = await this.authenticate(apiKey, address);
    return this.reject(scanner, address, "AGENT_OUTDATED", message, { minWireVersion });
  }

  private async authenticate(apiKey: string | undefined, address: string): Promise<ScannerRow> {
    const hash = hashSecret(apiKey ?? "");
    const scanner = await this.store.run((session) => findScannerByKeyHash(session, hash));
    if (scanner !== undefined && scanner.api_key_hash !== null && equalHashes(scanner.api_key_hash, hash)) {
      return scanner;
    }
    const retryAfterSeconds = this.limiter.count(address);
    if (retryAfterSeconds !== undefined) throw tooManyAttempts(retryAfterSeconds);
    if (scanner !== undefined) {
      const message = "the API key was replaced; register again with a new provisioning token";
      throw await this.reject(scanner, address, "INVALID_API_KEY", message);
    }
    throw refusal(
      "INVALID_API_KEY",
      apiKey === undefined ? "this needs a scanner's key in the header X-API-Key" : "the API key is unknown",
    );
  }

  private async enforceBinding(scanner: ScannerRow, address: string, purpose: Purpose): Promise<void> {
    const caller = parseAddress(address);
    const verdict = checkBinding({ mode: scanner.binding_mode, value: scanner.binding_value }, caller);
    if (verdict === "allowed") return;
    if (purpose === "poll" && (await this.store.run((session) => hasActiveJobs(session, scanner.id)))) return;
    if (verdict === "unbound" && caller !== undefined && (await this.bind(scanner, caller))) return;
    const message = `scanner '${scanner.name}' may not call from ${address}; release its binding if it has moved`;
    throw await this.reject(scanner, address, "IP_BINDING_VIOLATION", message);
  }

  /** False when a call from elsewhere bound the scanner just before. */
  private async bind(scanner: ScannerRow, address: Address): Promise<boolean> {
    const { binding_mode: mode } = scanner;
    if (mode !== "ip" && mode !== "subnet") return false;
    const value = boundValue(mode, address);
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
