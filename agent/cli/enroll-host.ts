/** What `enroll` does: asks the control plane for a key and keeps it. */

import { SCANNER_BACKOFF } from "#shared/backoff.ts";
import { systemClock } from "#shared/clock.ts";
import { UsageError } from "#shared/errors.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import { ControlPlaneClient } from "../client/control-plane.ts";
import { installId, writeCredentials } from "../client/credentials.ts";
import { ApiError } from "../client/api-error.ts";
import { withRetry } from "../client/retry.ts";
import type { ConfigFlags } from "../config/config.ts";
import { hostFacts } from "../host/facts.ts";
import { configOf } from "./config-of.ts";
import type { CliContext } from "./context.ts";

export interface EnrollFlags extends ConfigFlags {
  readonly tokenStdin?: boolean;
}

/** A person waits for this: fewer and shorter tries than the daemon makes. */
const POLICY = { ...SCANNER_BACKOFF, maxAttempts: 3 };

export async function enrollHost(context: CliContext, options: EnrollFlags): Promise<void> {
  const config = await configOf(options, context);
  if (config.server === undefined) {
    throw new UsageError("INVALID_SERVER", "no control plane is named: give --server https://host[:port]");
  }
  // A token on the command line would stand in the process list for everybody.
  const given =
    options.tokenStdin === true ? await context.readStdin() : context.environment["PORTOLAN_TOKEN"];
  const token = given?.trim() ?? "";
  if (token === "") {
    throw new UsageError(
      "NO_TOKEN",
      "no token: set PORTOLAN_TOKEN, or give --token-stdin and write it to stdin",
    );
  }
  const client = new ControlPlaneClient({
    server: config.server,
    apiKey: undefined,
    ca: config.ca,
    signal: context.interrupted,
  });
  const request = {
    token,
    installId: await installId(config.stateDir),
    version: PORTOLAN_VERSION,
    ...hostFacts(),
  };
  try {
    const retry = {
      policy: POLICY,
      clock: systemClock,
      signal: context.interrupted,
      onRetry: () => undefined,
    };
    const { scannerId, name, apiKey } = await withRetry(retry, () => client.register(request));
    await writeCredentials(config.stateDir, { server: config.server, scannerId, name, apiKey });
    await context.stdout.write(`enrolled as scanner '${name}' (id ${scannerId}) at ${config.server}\n`);
  } catch (error) {
    // Refused, or never sent: nothing has happened. Otherwise only the answer may be missing, and a repeat is due.
    const nothingHappened = error instanceof ApiError && (!error.retryable || error.code === "UNREACHABLE");
    if (nothingHappened) throw new UsageError(error.code, error.message, { cause: error });
    throw error;
  }
}
