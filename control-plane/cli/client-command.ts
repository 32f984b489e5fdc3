/** What every command that talks to a running server has in common: where it is, and the token. */

import { Command } from "commander";
import { UsageError } from "#shared/errors.ts";
import { ApiClient, readTokenFile } from "./api-client.ts";
import type { CliContext } from "./context.ts";
import { adminTokenFile, defaultDataDirectory } from "./data-directory.ts";

const DEFAULT_SERVER = "http://127.0.0.1:8420";

export interface ClientOptions {
  readonly server?: string;
  readonly tokenFile?: string;
}

export function clientCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option("--server <url>", `control plane to talk to (env PORTOLAN_SERVER; default ${DEFAULT_SERVER})`)
    .option(
      "--token-file <file>",
      "file with the operator's token (or env PORTOLAN_TOKEN; default DATA-DIR/admin-token)",
    );
}

/** @throws UsageError when the address is none, or there is no token */
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
  return new ApiClient({ serverUrl, token: fromEnvironment ?? (await readTokenFile(file)) });
}
