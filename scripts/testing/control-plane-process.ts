/** A real control plane in a process of its own, on a database that is thrown away, and the operator's calls to it. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { z } from "zod";
import {
  type ScannerCreateResponse,
  scannerCreateResponseSchema,
  scannerListSchema,
  type ScannerView,
} from "#shared/protocol/operator.ts";
import { REPOSITORY } from "./requirements.ts";
import { eventually } from "./run.ts";

export interface ControlPlaneOptions {
  /** Where to listen; any free port of 127.0.0.1 when not given. */
  readonly listen?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly ca: string };
}

export class ControlPlaneProcess {
  readonly url: string;
  private readonly child: Bun.Subprocess;
  private readonly directory: string;
  private readonly ca: string | undefined;

  private constructor(child: Bun.Subprocess, url: string, directory: string, ca: string | undefined) {
    this.child = child;
    this.url = url;
    this.directory = directory;
    this.ca = ca;
  }

  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlaneProcess> {
    const { tls } = options;
    const directory = mkdtempSync(join(tmpdir(), "portolan-control-"));
    const log = join(directory, "log");
    const child = Bun.spawn(
      [
        "setpriv",
        "--pdeathsig=TERM",
        process.execPath,
        join(REPOSITORY, "control-plane/main.ts"),
        "serve",
        `--listen=${options.listen ?? "127.0.0.1:0"}`,
        `--data-dir=${directory}`,
        `--agent-binaries=${join(REPOSITORY, "dist")}`,
        ...(tls === undefined ? [] : [`--tls-cert=${tls.certFile}`, `--tls-key=${tls.keyFile}`]),
      ],
      { stdin: "ignore", stdout: Bun.file(log), stderr: Bun.file(join(directory, "errors")) },
    );
    const url = await eventually("the control plane's address", async () => {
      if (child.exitCode !== null) {
        const why = readFileSync(join(directory, "errors"), "utf8");
        rmSync(directory, { recursive: true });
        throw new Error(`the control plane ended: ${why}`);
      }
      return /^Listening on (\S+)$/m.exec(readFileSync(log, "utf8"))?.[1];
    });
    return new ControlPlaneProcess(child, url, directory, tls?.ca);
  }

  /** Adds a scanner; the answer has the one-time line. */
  addScanner(name: string): Promise<ScannerCreateResponse> {
    return this.call("POST", "/api/config/scanners", scannerCreateResponseSchema, { name });
  }

  async scanner(name: string): Promise<ScannerView | undefined> {
    const { scanners } = await this.call("GET", "/api/scanners", scannerListSchema);
    return scanners.find((scanner) => scanner.name === name);
  }

  /** Waits for a heartbeat, which has metrics. A registration makes a scanner active too, but has none. */
  activeScanner(name: string): Promise<ScannerView> {
    return eventually(`a heartbeat of scanner '${name}'`, async () => {
      const scanner = await this.scanner(name);
      return scanner?.status === "active" && scanner.metrics !== null ? scanner : undefined;
    });
  }

  private async call<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const token = readFileSync(join(this.directory, "admin-token"), "utf8").trim();
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(this.ca === undefined ? {} : { tls: { ca: this.ca } }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return schema.parse(await response.json());
  }

  async stop(): Promise<void> {
    this.child.kill();
    await this.child.exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}
