/**
 * The agents' binaries that this control plane hands out, with their digests and signatures, and the source they are
 * built from. Builds none.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { PortolanError } from "#shared/errors.ts";
import type { AgentBinaryInfo } from "#shared/protocol/scanner-config.ts";
import { refusal } from "./refusal.ts";

const PLATFORMS: readonly string[] = ["linux", "darwin", "windows"];
/** Known architectures, and what the package manager calls them. */
const CPUS = new Map([
  ["amd64", "x64"],
  ["arm64", "arm64"],
]);
/** The platform that there are agents for: they need its raw sockets. */
const AGENT_PLATFORM = "linux";

const SOURCE_FILE = "portolan-source.tar.gz";
const SOURCE_BUILD_COMMAND = "bun scripts/build.ts --only=source";

export interface AgentBinary {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  /** Hexadecimal */
  readonly sha256: string;
  /** Ed25519 over the file, base64; absent when the file was not signed. */
  readonly signature: string | undefined;
}

interface KnownDigest {
  readonly mtimeMs: number;
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface AgentBinariesOptions {
  readonly directory: string;
  /** What `portolan-agent` without a target in its name was built for, e.g. `linux-amd64`. */
  readonly ownTarget: string;
}

export class AgentBinaries {
  private readonly options: AgentBinariesOptions;
  /** By path, a handful at most. Read again when the file has changed. */
  private readonly digests = new Map<string, KnownDigest>();

  constructor(options: AgentBinariesOptions) {
    this.options = options;
  }

  /** @throws PortolanError UNKNOWN_PLATFORM, or BINARY_NOT_BUILT with the command that builds it, where there is one */
  async find(platform: string, arch: string): Promise<AgentBinary> {
    const cpu = CPUS.get(arch);
    if (!PLATFORMS.includes(platform) || cpu === undefined) {
      throw refusal(
        "UNKNOWN_PLATFORM",
        `'${platform}/${arch}' is not known: ${PLATFORMS.join(", ")} and ${[...CPUS.keys()].join(", ")} are`,
      );
    }
    if (platform !== AGENT_PLATFORM) {
      throw refusal(
        "BINARY_NOT_BUILT",
        `Portolan has no agent for ${platform}; agents run on ${AGENT_PLATFORM}`,
      );
    }
    const target = `${platform}-${arch}`;
    const names = [
      `portolan-agent-${target}`,
      ...(target === this.options.ownTarget ? ["portolan-agent"] : []),
    ];
    for (const name of names) {
      const binary = await this.read(name);
      if (binary !== undefined) return binary;
    }
    const build = `bun scripts/build.ts --only=agent --target=${target}`;
    // The runtime of another machine is not among the packages of this one.
    const isForeign = target !== this.options.ownTarget;
    const buildCommand = isForeign ? `bun install --cpu=${cpu} --os=${platform} && ${build}` : build;
    throw refusal(
      "BINARY_NOT_BUILT",
      `there is no agent for ${target} here; build it with: ${buildCommand}`,
      {
        buildCommand,
      },
    );
  }

  /**
   * The agent's source with what builds it, as a gzipped tar.
   * @throws PortolanError BINARY_NOT_BUILT with the command that makes it
   */
  async findSource(): Promise<AgentBinary> {
    const source = await this.read(SOURCE_FILE);
    if (source !== undefined) return source;
    throw refusal(
      "BINARY_NOT_BUILT",
      `there is no archive of the agent's source here; make it with: ${SOURCE_BUILD_COMMAND}`,
      { buildCommand: SOURCE_BUILD_COMMAND },
    );
  }

  /** Of each machine that there are agents for: what is handed out, or how it is built. */
  async list(): Promise<AgentBinaryInfo[]> {
    return Promise.all([...CPUS.keys()].map((arch) => this.describe(AGENT_PLATFORM, arch)));
  }

  private async describe(platform: string, arch: string): Promise<AgentBinaryInfo> {
    try {
      const { sha256, sizeBytes, signature } = await this.find(platform, arch);
      const signed = signature !== undefined;
      return { platform, arch, available: true, sha256, sizeBytes, signed, buildCommand: null };
    } catch (error) {
      if (!(error instanceof PortolanError) || error.code !== "BINARY_NOT_BUILT") throw error;
      const buildCommand = String(error.details?.["buildCommand"]);
      return { platform, arch, available: false, sha256: null, sizeBytes: null, signed: false, buildCommand };
    }
  }

  private async read(name: string): Promise<AgentBinary | undefined> {
    const path = join(this.options.directory, name);
    const facts = await stat(path).catch(() => undefined);
    if (facts === undefined || !facts.isFile()) return undefined;
    const sha256 = await this.digest(path, facts.mtimeMs, facts.size);
    const signature = await readFile(`${path}.sig`, "utf8").catch(() => undefined);
    return { path, name, sizeBytes: facts.size, sha256, signature: signature?.trim() };
  }

  private async digest(path: string, mtimeMs: number, sizeBytes: number): Promise<string> {
    const known = this.digests.get(path);
    if (known?.mtimeMs === mtimeMs && known.sizeBytes === sizeBytes) return known.sha256;
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(path)) hash.update(chunk);
    const sha256 = hash.digest("hex");
    this.digests.set(path, { mtimeMs, sizeBytes, sha256 });
    return sha256;
  }
}
