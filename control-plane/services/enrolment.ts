/**
 * Enrolment: a host that shows a group token becomes a scanner by itself, named after the host, and waits for an
 * operator's approval. The same host may ask again within the hour, in case the answer was lost, and is the same scanner.
 */

import { MAX_NAME_LENGTH, MAX_SCANNERS, PROVISIONING_TOKEN_TTL_MS } from "#shared/protocol/limits.ts";
import type { RegisterRequest, RegisterResponse } from "#shared/protocol/scanner.ts";
import {
  type EnrolmentTokenRow,
  findEnrolmentTokenByHash,
  useEnrolmentToken,
} from "../store/enrolment-tokens.ts";
import { findRecentEnrolment, listNamesLike } from "../store/scanner-enrolment.ts";
import { countScanners, findScanner, insertScanner, type ScannerRow } from "../store/scanners.ts";
import type { Session } from "../store/store.ts";
import { refusal } from "./refusal.ts";
import { admitHost } from "./registration.ts";
import { equalHashes, hashSecret } from "./secrets.ts";

/** How long a host whose answer was lost is known again. */
const REPEAT_MS = PROVISIONING_TOKEN_TTL_MS;
const NAMELESS = "scanner";
/** For `-10000` behind a name that is taken. */
const SUFFIX_LENGTH = 6;

const USED_UP = "the enrolment token has been used by as many hosts as it is for; ask for a new one";

/**
 * Registers the host, in the transaction of the call.
 * @throws PortolanError INVALID_PROVISIONING_TOKEN, LIMIT_REACHED
 */
export async function enrol(
  session: Session,
  request: RegisterRequest,
  address: string,
): Promise<RegisterResponse> {
  const token = await findToken(session, request.token);
  const reason = deadReason(token);
  if (token === undefined || reason !== undefined) {
    throw refusal("INVALID_PROVISIONING_TOKEN", reason ?? "the enrolment token is unknown");
  }
  await session.dialect.holdLock(session.db, "scannerNames");
  const known = await findRecentEnrolment(session, token.id, request.installId, REPEAT_MS);
  if (known === undefined && !(await useEnrolmentToken(session, token.token_hash))) {
    throw refusal("INVALID_PROVISIONING_TOKEN", USED_UP);
  }
  const id = known ?? (await addScanner(session, token, request.hostname ?? ""));
  const action = known === undefined ? "scanner.enrolled" : "scanner.enrolled-again";
  return admitHost(session, await requireRow(session, id), { request, address, action });
}

/** Why no host can enrol with the token now; undefined when one can, or one that has may still repeat it. */
export async function enrolmentRefusalReason(session: Session, text: string): Promise<string | undefined> {
  const token = await findToken(session, text);
  const reason = deadReason(token);
  if (token === undefined || reason !== undefined) return reason;
  const isRepeatable = token.now_ms - (token.last_used_at ?? 0) < REPEAT_MS;
  return token.uses >= token.max_uses && !isRepeatable ? USED_UP : undefined;
}

async function findToken(session: Session, text: string): Promise<EnrolmentTokenRow | undefined> {
  const hash = hashSecret(text);
  const row = await findEnrolmentTokenByHash(session, hash);
  return row !== undefined && equalHashes(row.token_hash, hash) ? row : undefined;
}

function deadReason(token: EnrolmentTokenRow | undefined): string | undefined {
  if (token === undefined) return "the enrolment token is unknown; copy the whole install line";
  if (token.revoked_at !== null) return "the enrolment token was revoked; ask for a new one";
  if (token.now_ms >= token.expires_at) return "the enrolment token has expired; ask for a new one";
  return undefined;
}

async function addScanner(session: Session, token: EnrolmentTokenRow, hostname: string): Promise<number> {
  if ((await countScanners(session)) >= MAX_SCANNERS) {
    throw refusal("LIMIT_REACHED", `there are ${MAX_SCANNERS} scanners already, which is the most`);
  }
  const base = nameOfHost(hostname);
  return insertScanner(session, {
    name: freeName(base, await listNamesLike(session, base)),
    description: "",
    rate_limit: token.rate_limit,
    binding_mode: token.binding_mode,
    binding_value: null,
    created_by: `enrolment:${token.name}`,
    enrolment_token_id: token.id,
  });
}

/** A scanner's name out of a host's, with room for a number behind it. */
export function nameOfHost(hostname: string): string {
  const name = hostname
    .replaceAll(/[^A-Za-z0-9]+/g, "-")
    .slice(0, MAX_NAME_LENGTH - SUFFIX_LENGTH)
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? NAMELESS : name;
}

/** The name, or the first of `name-2`, `name-3`… that is not taken. */
export function freeName(base: string, taken: readonly string[]): string {
  const names = new Set(taken);
  if (!names.has(base)) return base;
  let number = 2;
  while (names.has(`${base}-${number}`)) number++;
  return `${base}-${number}`;
}

async function requireRow(session: Session, id: number): Promise<ScannerRow> {
  const row = await findScanner(session, id);
  if (row === undefined) throw new Error(`scanner ${id} was added and is not there`);
  return row;
}
