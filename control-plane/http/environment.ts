/** What a request carries through the app, beside itself. */

import { OpenAPIHono } from "@hono/zod-openapi";
import type { Operator } from "../services/operators.ts";
import type { AdmittedScanner } from "../services/scanner-credentials.ts";
import { invalidRequest } from "./errors.ts";

export interface AppEnv {
  readonly Bindings: {
    /** The address of the connection's other end, as the server sees it. */
    readonly peerAddress: string;
  };
  readonly Variables: {
    /** Who calls: the peer, or whom a trusted proxy speaks for. */
    clientAddress: string;
    /** Set on every call of `/api`. */
    operator: Operator;
    /** Set on every call of `/scanner` that needs an API key. */
    scanner: AdmittedScanner;
  };
}

export type App = OpenAPIHono<AppEnv>;

/** An app whose requests are checked against the schemas of their routes before a handler sees them. */
export function createRouter(): App {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
}
