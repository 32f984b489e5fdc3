/** The pool of PostgreSQL connections. 64-bit integers are read as numbers, on this pool only. */

import { Pool, types } from "pg";

const MAX_CONNECTIONS = 10;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** `pg` reads them as text by default, since they may be larger than a number can tell. Ours are not. */
function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`the integer ${text} is larger than a number can hold`);
  return value;
}

export function openPostgresPool(connectionString: string, onConnectionLost: (error: Error) => void): Pool {
  const pool = new Pool({
    connectionString,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    application_name: "portolan-control",
    types: {
      getTypeParser: (oid: number, format?: "text" | "binary") =>
        oid === types.builtins.INT8 && format !== "binary" ? parseInteger : types.getTypeParser(oid, format),
    },
  });
  // Without listeners a connection that breaks would end the process: the pool tells of idle ones, a connection in use
  // of itself. Its query fails as well, and there the failure is handled.
  pool.on("error", onConnectionLost);
  pool.on("connect", (client) => client.on("error", () => {}));
  return pool;
}
