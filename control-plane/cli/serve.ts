/** `serve`: reads the flags into a configuration, and leaves the rest to the composition root. */

import { dirname } from "node:path";
import { Command } from "commander";
import { UsageError } from "#shared/errors.ts";
import { agentVersionSchema } from "#shared/protocol/fields.ts";
import { type LogLevel, parseLogLevel } from "#shared/log.ts";
import { type ListenAddress, parseListenAddress, type TlsIdentity } from "../server.ts";
import { type Network, parseNetwork } from "../services/network.ts";
import type { CliContext } from "./context.ts";
import { databaseUrl, defaultDataDirectory } from "./data-directory.ts";
import { collect } from "./options.ts";
import { readTlsIdentity } from "./tls-files.ts";

const DEFAULT_LISTEN = "127.0.0.1:8420";

export interface ServeConfig {
  readonly listen: readonly ListenAddress[];
  readonly dataDirectory: string;
  readonly databaseUrl: string;
  readonly publicUrl: string | undefined;
  readonly trustedProxies: readonly Network[];
  readonly agentBinaries: string;
  readonly asnDatabase: string | undefined;
  readonly minimumAgentVersion: string | undefined;
  readonly tls: TlsIdentity | undefined;
  readonly logLevel: LogLevel;
}

interface ServeOptions {
  readonly listen?: string[];
  readonly dataDir?: string;
  readonly databaseUrl?: string;
  readonly publicUrl?: string;
  readonly trustedProxy?: string[];
  readonly agentBinaries?: string;
  readonly asnDatabase?: string;
  readonly minimumAgentVersion?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly logLevel?: string;
}

export function serveCommand(context: CliContext, serve: (config: ServeConfig) => Promise<void>): Command {
  return new Command("serve")
    .description("run the control plane")
    .option(
      "--listen <address:port>",
      `where to listen; may be repeated (default ${DEFAULT_LISTEN})`,
      collect,
    )
    .option("--data-dir <directory>", "where to keep the SQLite database and the admin token")
    .option(
      "--database-url <url>",
      "postgres://… or sqlite:PATH (env DATABASE_URL; default SQLite in the data directory)",
    )
    .option("--public-url <url>", "how hosts reach this control plane (env PUBLIC_URL)")
    .option("--trusted-proxy <network>", "whose X-Forwarded-For to believe; may be repeated", collect)
    .option("--agent-binaries <directory>", "where the agents' binaries are")
    .option(
      "--asn-database <file>",
      "MaxMind DB file of autonomous systems, for binding mode 'asn' (env ASN_DATABASE)",
    )
    .option("--minimum-agent-version <version>", "older agents are told to upgrade")
    .option("--tls-cert <file>", "certificate chain, PEM")
    .option("--tls-key <file>", "private key, PEM")
    .option("--log-level <level>", "DEBUG, INFO, WARNING or ERROR (env LOG_LEVEL; default INFO)")
    .action(async (options: ServeOptions) => serve(await readConfig(options, context)));
}

/** @throws UsageError */
async function readConfig(options: ServeOptions, context: CliContext): Promise<ServeConfig> {
  const { env } = context;
  const dataDirectory = options.dataDir ?? defaultDataDirectory(context);
  return {
    listen: (options.listen ?? [DEFAULT_LISTEN]).map(parseListenAddress),
    dataDirectory,
    databaseUrl: databaseUrl(context, options.databaseUrl, dataDirectory),
    publicUrl: parsePublicUrl(options.publicUrl ?? (env["PUBLIC_URL"] || undefined)),
    trustedProxies: (options.trustedProxy ?? []).map(parseTrustedProxy),
    agentBinaries: options.agentBinaries ?? defaultBinaries(context),
    asnDatabase: options.asnDatabase ?? (env["ASN_DATABASE"] || undefined),
    minimumAgentVersion: parseVersion(options.minimumAgentVersion),
    tls: await readTls(options),
    logLevel: parseLogLevel(options.logLevel ?? env["LOG_LEVEL"]),
  };
}

/** Beside the compiled program; run from source, where the build puts them. */
function defaultBinaries({ execPath }: CliContext): string {
  return /(?:^|[/\\])bun(?:\.exe)?$/.test(execPath) ? "dist" : dirname(execPath);
}

function parsePublicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "") {
    throw new UsageError("USAGE", `'${text}' is no public URL; write it like https://portolan.example.org`);
  }
  return url.href.replace(/\/+$/, "");
}

function parseVersion(text: string | undefined): string | undefined {
  if (text === undefined || agentVersionSchema.safeParse(text).success) return text;
  throw new UsageError("USAGE", `'${text}' is no version of an agent; write it like 1.2.3`);
}

function parseTrustedProxy(text: string): Network {
  const network = parseNetwork(text);
  if (network === undefined) throw new UsageError("USAGE", `'${text}' is no address or network of a proxy`);
  return network;
}

async function readTls({ tlsCert, tlsKey }: ServeOptions): Promise<TlsIdentity | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new UsageError("USAGE", "--tls-cert and --tls-key go together");
  }
  return readTlsIdentity(tlsCert, tlsKey);
}
