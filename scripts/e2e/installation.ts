/** A control plane on this machine and an agent on the scanner's host of a lab, both compiled, for a test's lifetime. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type ResultView,
  scannerCreateResponseSchema,
  type ScannerView,
  type ScanView,
} from "#shared/protocol/operator.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { execute, type Outcome, outputOf } from "../processes/command.ts";
import { Service, waitFor } from "../processes/service.ts";
import { ControlPlane } from "../testing/control-plane.ts";
import { AGENT, CONTROL } from "../testing/programs.ts";
import { WAIT_TIMEOUT_MS } from "../testing/timeouts.ts";

const SCANNER = "lab-scanner";
/** Of the agent that runs. */
export const MAX_CONCURRENT_SCANS = 3;
/** Where the agent that runs keeps its state, below the installation's folder. */
const AGENT_STATE = "agent";

export class Installation {
  readonly lab: Lab;
  readonly controlPlane: ControlPlane;
  readonly folder = mkdtempSync(join(tmpdir(), "portolan-e2e-"));
  private agent: Service | undefined;
  /** Undoes all of it, the last first. */
  private made = new AsyncDisposableStack();

  private constructor(lab: Lab, controlPlane: ControlPlane) {
    this.lab = lab;
    this.controlPlane = controlPlane;
  }

  /** Everything running, the scanner enrolled and active. */
  static async start(): Promise<Installation> {
    await using made = new AsyncDisposableStack();
    const lab = await createLab();
    made.defer(() => lab.close());
    const controlPlane = await ControlPlane.start({ host: lab.uplinkHere });
    made.defer(() => controlPlane.close());
    const site = new Installation(lab, controlPlane);
    made.defer(() => site.removeAgent());

    const { exitCode, stderr } = await site.enroll(await site.provision(SCANNER), AGENT_STATE);
    if (exitCode !== 0) throw new Error(`the agent did not enrol: ${stderr.trim()}`);
    site.startAgent();
    await site.scannerWhen(({ status }) => status === "active");
    site.made = made.move();
    return site;
  }

  startAgent(): void {
    this.agent = new Service(
      "the agent",
      this.lab.onScanner([
        AGENT,
        "run",
        "--max-concurrent-scans",
        String(MAX_CONCURRENT_SCANS),
        ...this.agentOptions(AGENT_STATE),
      ]),
      join(this.folder, "agent.log"),
      { envBase: "clean" },
    );
  }

  async stopAgent(): Promise<void> {
    await this.agent?.stop();
  }

  /** Runs a `portolan-control` client command as the admin. */
  operator(...words: readonly string[]): Promise<string> {
    const { url, tokenFile } = this.controlPlane;
    return outputOf([CONTROL, ...words, "--server", url, "--token-file", tokenFile], { envBase: "clean" });
  }

  /** Adds a scanner. @returns its provisioning token */
  async provision(name: string): Promise<string> {
    const answer: unknown = JSON.parse(await this.operator("scanner", "add", name, "--json"));
    return scannerCreateResponseSchema.parse(answer).provisioning.token;
  }

  /** On the scanner's host. @param state folder for the credentials, below the installation's */
  enroll(token: string, state: string): Promise<Outcome> {
    const command = this.lab.onScanner([AGENT, "enroll", ...this.agentOptions(state)]);
    return execute(command, { envBase: "clean", env: { PORTOLAN_TOKEN: token } });
  }

  /** @returns the id of the scan */
  async startScan(...words: readonly string[]): Promise<number> {
    return Number(await this.operator("scan", "start", "--scanner", SCANNER, ...words));
  }

  scannerWhen(is: (scanner: ScannerView) => boolean): Promise<ScannerView> {
    return this.controlPlane.operator.scannerWhen(SCANNER, is);
  }

  scanWhen(id: number, is: (scan: ScanView) => boolean): Promise<ScanView> {
    return this.controlPlane.operator.scanWhen(id, is);
  }

  results(scanId: number): Promise<ResultView[]> {
    return this.controlPlane.operator.results(scanId);
  }

  /** Waits until the agent's log has this text. */
  async agentSays(text: string): Promise<void> {
    await waitFor(`the agent to say '${text}'`, WAIT_TIMEOUT_MS, [], async () =>
      this.agentLog().includes(text) ? true : undefined,
    );
  }

  agentLog(): string {
    return readFileSync(join(this.folder, "agent.log"), "utf8");
  }

  close(): Promise<void> {
    return this.made.disposeAsync();
  }

  private async removeAgent(): Promise<void> {
    await this.stopAgent();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private agentOptions(state: string): string[] {
    const server = ["--server", this.controlPlane.url, "--allow-plain-http"];
    return ["--state-dir", join(this.folder, state), ...server];
  }
}
