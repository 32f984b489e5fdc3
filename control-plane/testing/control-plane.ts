/** A control plane for tests: the real app on a real store, called without sockets, on a clock that tests move. */

import type { z } from "zod";
import { Log, type LogEntry } from "#shared/log.ts";
import type { OperatorRole } from "#shared/protocol/administration.ts";
import { type Job, jobsResponseSchema } from "#shared/protocol/job.ts";
import {
  type ScanCreateRequest,
  scannerCreateResponseSchema,
  type ScanView,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import { API_KEY_HEADER, registerResponseSchema } from "#shared/protocol/scanner.ts";
import { createApp } from "../app.ts";
import type { DashboardFile } from "../http/dashboard.ts";
import type { App } from "../http/environment.ts";
import type { PublicUrlOptions } from "../http/public-url.ts";
import { AgentBinaries } from "../services/agent-binaries.ts";
import type { AsnDatabase } from "../services/asn-database.ts";
import { createServices, type Services } from "../services/services.ts";
import type { SettingDefaults } from "../services/settings.ts";
import type { Store } from "../store/store.ts";
import { checkAnswer } from "./documented-answers.ts";
import { FakeClock } from "./fake-clock.ts";

export interface Call {
  readonly key?: string;
  readonly token?: string;
  readonly body?: unknown;
  /** A body as it is, in place of `body`. */
  readonly text?: string;
  /** The connection's other end. */
  readonly from?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed where it is JSON, else the text. */
  readonly body: unknown;
}

export interface TestScanner {
  readonly id: number;
  readonly name: string;
  readonly key: string;
}

export interface TestOptions {
  readonly agentBinaries?: string;
  readonly url?: Partial<PublicUrlOptions>;
  readonly dashboard?: readonly DashboardFile[];
  readonly minWireVersion?: number;
  readonly asnDatabase?: AsnDatabase;
  readonly settingDefaults?: SettingDefaults;
}

export class TestControlPlane {
  readonly clock = new FakeClock();
  readonly logged: LogEntry[] = [];
  readonly services: Services;
  readonly store: Store;
  readonly app: App;
  private readonly tokens = new Map<OperatorRole, string>();

  constructor(store: Store, options: TestOptions = {}) {
    const log = new Log((entry) => this.logged.push(entry), "DEBUG", this.clock.nowMs);
    this.store = store;
    this.services = createServices({
      store,
      clock: this.clock,
      log,
      asnDatabase: options.asnDatabase,
      settingDefaults: options.settingDefaults ?? {},
    });
    this.app = createApp({
      services: this.services,
      binaries: new AgentBinaries({
        directory: options.agentBinaries ?? "/nonexistent",
        ownTarget: "linux-amd64",
      }),
      clock: this.clock,
      log,
      url: { publicUrl: undefined, trustedProxies: [], ...options.url },
      dashboard: options.dashboard ?? [],
      ...(options.minWireVersion === undefined ? {} : { minWireVersion: options.minWireVersion }),
    });
  }

  /** Fails when the answer is not as the app's OpenAPI document says. */
  async call(method: string, path: string, call: Call = {}): Promise<Answer> {
    const headers = new Headers(call.headers);
    if (call.key !== undefined) headers.set(API_KEY_HEADER, call.key);
    if (call.token !== undefined) headers.set("Authorization", `Bearer ${call.token}`);
    if (call.body !== undefined) headers.set("Content-Type", "application/json");
    const text = call.text ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const response = await this.app.request(
      path,
      {
        method,
        headers,
        ...(text === undefined ? {} : { body: text }),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      },
      { peerAddress: call.from ?? "192.0.2.1" },
    );
    const received = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const answer = {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(received) : received,
    };
    checkAnswer(this.app, { method, path, sentBody: call.body, ...answer });
    return answer;
  }

  /** An operator's token of this role. */
  async token(role: OperatorRole): Promise<string> {
    const known = this.tokens.get(role);
    if (known !== undefined) return known;
    const { token } = await this.services.operators.create(`test-${role}`, role, "system");
    this.tokens.set(role, token);
    return token;
  }

  /** A call as an operator, which must be good. */
  async operate<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, { token: await this.token("admin"), body });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return schema.parse(answer.body);
  }

  /** Adds a scanner. Returns its one-time token. */
  async provision(name: string, settings: object = {}): Promise<{ id: number; token: string }> {
    const body = { name, ...settings };
    const created = await this.operate("POST", "/api/config/scanners", scannerCreateResponseSchema, body);
    return { id: created.scanner.id, token: created.provisioning.token };
  }

  /** Adds and registers a scanner. */
  async addScanner(name: string, settings: object = {}): Promise<TestScanner> {
    const { id, token } = await this.provision(name, settings);
    // Each from its own address: registrations from one are limited.
    const answer = await this.call("POST", "/scanner/register", {
      body: { token, installId: crypto.randomUUID() },
      from: `198.51.100.${id % 256}`,
    });
    return { id, name, key: registerResponseSchema.parse(answer.body).apiKey };
  }

  async startScan(
    scanners: readonly TestScanner[],
    request: Partial<ScanCreateRequest> = {},
  ): Promise<ScanView> {
    return this.operate("POST", "/api/scans", scanViewSchema, {
      scannerIds: scanners.map(({ id }) => id),
      targets: ["10.0.0.0/28"],
      ports: "20-100",
      ...request,
    });
  }

  async getScan(id: number): Promise<ScanView> {
    return this.operate("GET", `/api/scans/${id}`, scanViewSchema);
  }

  /** Jobs that the scanner gets without waiting. */
  async poll(scanner: TestScanner, max = 8): Promise<Job[]> {
    const answer = await this.call("GET", `/scanner/jobs?max=${max}`, { key: scanner.key });
    return jobsResponseSchema.parse(answer.body).jobs;
  }

  /** The one job that the scanner gets. */
  async claim(scanner: TestScanner): Promise<Job> {
    const [job, ...others] = await this.poll(scanner);
    if (job === undefined || others.length > 0)
      throw new Error(`expected one job, got ${others.length + (job ? 1 : 0)}`);
    return job;
  }

  /** A call about a job under its lease. */
  async jobCall(scanner: TestScanner, job: Job, what: string, body: object = {}): Promise<Answer> {
    return this.call("POST", `/scanner/jobs/${job.jobId}/${what}`, {
      key: scanner.key,
      body: { leaseId: job.leaseId, ...body },
    });
  }
}

/** The code of an error's body. */
export function errorCode(answer: Answer): string {
  return errorOf(answer).code;
}

export function errorOf(answer: Answer): z.infer<typeof errorBodySchema>["error"] {
  return errorBodySchema.parse(answer.body).error;
}
