/** Scanners' credentials: checked before anything else about the call but its wire version is looked at. */

import type { MiddlewareHandler } from "hono";
import type { Purpose, ScannerAccess } from "../../services/scanner-access.ts";
import { scannerCredential } from "../credentials.ts";
import type { AppEnv } from "../environment.ts";

/** The handlers behind it find the scanner in the context. Throws what `ScannerAccess.admit` throws. */
export function requireScanner(access: ScannerAccess, purpose: Purpose): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set("scanner", await access.admit(scannerCredential(c), c.get("clientAddress"), purpose));
    await next();
  };
}
