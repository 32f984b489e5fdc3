/**
 * The compiled control plane as a process of a test, on a database that is thrown away. What an operator asks of it
 * is in operator.ts.
 */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorMessage } from "#shared/errors.ts";
import { Service, waitFor } from "../processes/service.ts";
import { Operator } from "./operator.ts";
import { CONTROL } from "./programs.ts";
import { WAIT_TIMEOUT_MS } from "./timeouts.ts";

export interface ControlPlaneOptions {
  /** Address to listen on; 127.0.0.1 when not given. */
  readonly host?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
}

export class ControlPlane {
  readonly url: string;
  /** The first admin's. */
  readonly token: string;
  readonly tokenFile: string;
  readonly operator: Operator;
  private readonly folder: string;
  private readonly options: ControlPlaneOptions;
  private service: Service;

  private constructor(folder: string, options: ControlPlaneOptions, { service, url }: Served) {
    this.folder = folder;
    this.options = options;
    this.service = service;
    this.url = url;
    this.tokenFile = join(folder, "admin-token");
    this.token = readFileSync(this.tokenFile, "utf8").trim();
    const ca = options.tls === undefined ? undefined : readFileSync(options.tls.certFile, "utf8");
    this.operator = new Operator({ url, token: this.token, ca });
  }

  /** On any free port. @throws Error with all that it wrote, when it does not start */
  static async start(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const folder = mkdtempSync(join(tmpdir(), "portolan-control-"));
    try {
      return new ControlPlane(folder, options, await serve(folder, options, 0));
    } catch (error) {
      rmSync(folder, { recursive: true });
      throw error;
    }
  }

  /** Ends it without warning, as a crash would. */
  kill(): Promise<void> {
    return this.service.kill();
  }

  /** After a kill: on the same database, at the same address. */
  async restart(): Promise<void> {
    const { service } = await serve(this.folder, this.options, Number(new URL(this.url).port));
    this.service = service;
  }

  async close(): Promise<void> {
    await this.service.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Served {
  readonly service: Service;
  readonly url: string;
}

async function serve(
  folder: string,
  { host = "127.0.0.1", tls }: ControlPlaneOptions,
  port: number,
): Promise<Served> {
  const log = join(folder, "log");
  // That of an earlier start names an address too.
  rmSync(log, { force: true });
  const files = tls === undefined ? [] : [`--tls-cert=${tls.certFile}`, `--tls-key=${tls.keyFile}`];
  const command = [CONTROL, "serve", `--listen=${host}:${port}`, `--data-dir=${folder}`, ...files];
  const service = new Service("the control plane", command, log, { envBase: "clean" });
  const said = (): string => (existsSync(log) ? readFileSync(log, "utf8") : "");
  try {
    const url = await waitFor("the control plane's address", WAIT_TIMEOUT_MS, [service], async () => {
      return /^Listening on (\S+)\n/m.exec(said())?.[1];
    });
    return { service, url };
  } catch (error) {
    await service.stop();
    throw new Error(`${errorMessage(error)}\n${said()}`, { cause: error });
  }
}
