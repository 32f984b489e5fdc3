/** What every command that talks to a running server has in common: where it is, and the token. */

import { Command } from "commander";
import { UsageError } from "#shared/errors.ts";
import { ApiClient, readTokenFile } from "./api-client.ts";
import type { CliContext } from "./context.ts";
import { adminTokenFile, defaultDataDirectory } from "./data-directory.ts";
import { readCaFile } from "./tls-files.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8420";

export interface ClientOptions {
  readonly server?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--server <url>", `control plane to talk to (env PORTOLAN_SERVER; default ${DEFAULT_SERVER})`)
    .option(
      "--token-file <file>",
      "file with the operator's token (or env PORTOLAN_TOKEN; default DATA-DIR/admin-token)",
    )
    .option(
      "--ca-file <file>",
      "certificate of a private authority that the server's is from, PEM (env PORTOLAN_CA_FILE)",
    );
}

/** @throws UsageError when the address is none, there is no token, or the CA file is none */
export async function connect(context: CliContext, options: ClientOptions): Promise<ApiClient> {
  const serverUrl = (options.server ?? context.env["PORTOLAN_SERVER"] ?? DEFAULT_SERVER).replace(/\/+$/, "");
  if (!/^https?:$/.test(URL.parse(serverUrl)?.protocol ?? "")) {
    throw new UsageError(
      "USAGE",
      `'${serverUrl}' is no address of a server; write it like ${DEFAULT_SERVER}`,
    );
  }
  const fromEnvironment = options.tokenFile === undefined ? context.env["PORTOLAN_TOKEN"] : undefined;
  const file = options.tokenFile ?? adminTokenFile(defaultDataDirectory(context));
  const caFile = options.caFile ?? (context.env["PORTOLAN_CA_FILE"] || undefined);
  return new ApiClient({
    serverUrl,
    token: fromEnvironment ?? (await readTokenFile(file)),
    ca: caFile === undefined ? undefined : await readCaFile(caFile),
  });
}
