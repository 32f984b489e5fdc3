/** A control plane on this machine and an agent on the scanner's host of a lab, both compiled, for a test's lifetime. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ResultView,
  resultListSchema,
  scannerCreateResponseSchema,
  type ScannerView,
  scannerListSchema,
  type ScanView,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { outputOf } from "../processes/command.ts";
import { Service, waitFor } from "../processes/service.ts";
import { AGENT, CONTROL } from "./programs.ts";

const SCANNER = "lab-scanner";

export class Installation {
  readonly lab: Lab;
  readonly folder = mkdtempSync(join(tmpdir(), "portolan-e2e-"));
  private readonly port: number;
  private controlPlane: Service | undefined;
  private agent: Service | undefined;

  private constructor(lab: Lab, port: number) {
    this.lab = lab;
    this.port = port;
  }

  /** Everything running, the scanner enrolled and active. */
  static async start(): Promise<Installation> {
    const lab = await createLab();
    const probe = Bun.listen({ hostname: lab.uplinkHere, port: 0, socket: { data: () => undefined } });
    const { port } = probe;
    probe.stop();
    const installation = new Installation(lab, port);
    try {
      await installation.startControlPlane();
      await installation.enroll();
      installation.startAgent();
      await installation.scannerWhen(({ status }) => status === "active");
      return installation;
    } catch (error) {
      await installation.close();
      throw error;
    }
  }

  get server(): string {
    return `http://${this.lab.uplinkHere}:${this.port}`;
  }

  async startControlPlane(): Promise<void> {
    const service = new Service(
      "the control plane",
      [CONTROL, "serve", "--data-dir", this.dataDir, "--listen", `${this.lab.uplinkHere}:${this.port}`],
      join(this.folder, "control-plane.log"),
    );
    this.controlPlane = service;
    await waitFor("the control plane", 20_000, [service], async () => {
      const response = await fetch(`${this.server}/health`).catch(() => undefined);
      return response?.ok === true && existsSync(this.tokenFile) ? true : undefined;
    });
  }

  async killControlPlane(): Promise<void> {
    await this.controlPlane?.kill();
  }

  startAgent(): void {
    this.agent = new Service(
      "the agent",
      this.lab.onScanner([AGENT, "run", ...this.agentOptions]),
      join(this.folder, "agent.log"),
    );
  }

  async stopAgent(): Promise<void> {
    await this.agent?.stop();
  }

  /** Runs a `portolan-control` client command as the admin. */
  operator(...words: readonly string[]): Promise<string> {
    return outputOf([CONTROL, ...words, "--server", this.server, "--token-file", this.tokenFile]);
  }

  async scannerWhen(is: (scanner: ScannerView) => boolean): Promise<ScannerView> {
    return waitFor("the scanner", 30_000, [], async () => {
      const { scanners } = scannerListSchema.parse(await this.get("/api/scanners"));
      return scanners.find((scanner) => scanner.name === SCANNER && is(scanner));
    });
  }

  /** @returns the id of the scan */
  async startScan(...words: readonly string[]): Promise<number> {
    return Number(await this.operator("scan", "start", "--scanner", SCANNER, ...words));
  }

  async scanWhen(id: number, is: (scan: ScanView) => boolean): Promise<ScanView> {
    return waitFor(`scan ${id}`, 60_000, [], async () => {
      const scan = scanViewSchema.parse(await this.get(`/api/scans/${id}`));
      return is(scan) ? scan : undefined;
    });
  }

  async results(scanId: number): Promise<ResultView[]> {
    const all: ResultView[] = [];
    for (let cursor: number | null = 0; cursor !== null;) {
      const path = `/api/scans/${scanId}/results?limit=1000&cursor=${cursor}`;
      const page = resultListSchema.parse(await this.get(path));
      all.push(...page.results);
      cursor = page.nextCursor;
    }
    return all;
  }

  agentLog(): string {
    return readFileSync(join(this.folder, "agent.log"), "utf8");
  }

  async close(): Promise<void> {
    await this.agent?.stop();
    await this.controlPlane?.stop();
    await this.lab.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private get dataDir(): string {
    return join(this.folder, "control-plane");
  }

  private get tokenFile(): string {
    return join(this.dataDir, "admin-token");
  }

  private get agentOptions(): string[] {
    return ["--state-dir", join(this.folder, "agent"), "--server", this.server, "--allow-plain-http"];
  }

  private async enroll(): Promise<void> {
    const answer = scannerCreateResponseSchema.parse(
      JSON.parse(await this.operator("scanner", "add", SCANNER, "--json")),
    );
    await outputOf(this.lab.onScanner([AGENT, "enroll", ...this.agentOptions]), {
      PORTOLAN_TOKEN: answer.provisioning.token,
    });
  }

  private async get(path: string): Promise<unknown> {
    const token = readFileSync(this.tokenFile, "utf8").trim();
    const response = await fetch(`${this.server}${path}`, { headers: { authorization: `Bearer ${token}` } });
    if (!response.ok) throw new Error(`GET ${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  }
}
