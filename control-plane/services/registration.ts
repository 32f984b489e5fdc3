/** What every registration ends in, by whichever token: the host gets a key, and its scanner what it says of itself. */

import { API_KEY_PREFIX, type RegisterRequest, type RegisterResponse } from "#shared/protocol/scanner.ts";
import { replaceApiKey } from "../store/scanner-keys.ts";
import { markRegistered, recordInventory, type ScannerRow, updateScanner } from "../store/scanners.ts";
import type { Session } from "../store/store.ts";
import { recordAudit } from "./audit.ts";
import { createSecret } from "./secrets.ts";

export interface Registration {
  readonly request: RegisterRequest;
  readonly address: string;
  /** For the audit log. */
  readonly action: string;
}

/** Last thing in the transaction that used the token. A key that the scanner had stops working. */
export async function admitHost(
  session: Session,
  { id, name }: Pick<ScannerRow, "id" | "name">,
  { request, address, action }: Registration,
): Promise<RegisterResponse> {
  const { installId, hostname, capabilities } = request;
  const key = createSecret(API_KEY_PREFIX);
  await replaceApiKey(session, id, key.hash);
  await markRegistered(session, id);
  await updateScanner(session, id, { install_id: installId });
  await recordInventory(session, id, {
    version: request.version,
    hostname,
    os: request.os,
    arch: request.arch,
    internal_ip: request.internalIp,
    capabilities: capabilities === undefined ? undefined : JSON.stringify(capabilities),
    external_ip: address,
  });
  await recordAudit(session, {
    actor: `scanner:${name}`,
    action,
    object: `scanner:${id}`,
    detail: { address, installId, hostname: hostname ?? null },
  });
  return { scannerId: id, name, apiKey: key.text };
}
