/** The wire version of agents: read from their calls, told in the answers. Looked at before the rest of the call. */

import type { MiddlewareHandler } from "hono";
import { WIRE_VERSION, WIRE_VERSION_HEADER } from "#shared/protocol/version.ts";
import { refusal } from "../../services/refusal.ts";
import type { ScannerAccess } from "../../services/scanner-access.ts";
import { scannerCredential } from "../credentials.ts";
import type { AppEnv } from "../environment.ts";

/** Outermost, so that errors are answered with it too. */
export const tellWireVersion: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.res.headers.set(WIRE_VERSION_HEADER, String(WIRE_VERSION));
};

/** Throws INVALID_REQUEST for a header that is no version, and AGENT_OUTDATED. */
export function checkWireVersion(access: ScannerAccess, minWireVersion: number): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const version = parseWireVersion(c.req.header(WIRE_VERSION_HEADER));
    if (version !== undefined && version < minWireVersion) {
      throw await access.refuseOutdated(scannerCredential(c), c.get("clientAddress"), {
        version,
        minWireVersion,
      });
    }
    await next();
  };
}

function parseWireVersion(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw refusal("INVALID_REQUEST", `the header ${WIRE_VERSION_HEADER} must be a positive whole number`);
}
