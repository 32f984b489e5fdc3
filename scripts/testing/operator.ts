/** An operator of a control plane under test: the calls of the JSON API that tests look at the world with. */

import { z } from "zod";
import {
  type ResultView,
  resultListSchema,
  type ScannerCreateResponse,
  scannerCreateResponseSchema,
  scannerListSchema,
  type ScannerView,
  type ScanView,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { waitFor } from "../processes/service.ts";
import { WAIT_TIMEOUT_MS } from "./timeouts.ts";

export interface OperatorAccess {
  readonly url: string;
  readonly token: string;
  /** PEM of an authority that this machine does not know. */
  readonly ca: string | undefined;
}

export class Operator {
  private readonly access: OperatorAccess;

  constructor(access: OperatorAccess) {
    this.access = access;
  }

  /** The answer has the one-time line. */
  addScanner(name: string): Promise<ScannerCreateResponse> {
    return this.call("POST", "/api/config/scanners", scannerCreateResponseSchema, { name });
  }

  /** @param ratePps of all its jobs together */
  async limitScanner(id: number, ratePps: number): Promise<void> {
    await this.call("PUT", `/api/config/scanners/${id}`, z.unknown(), { rateLimit: ratePps });
  }

  scannerWhen(name: string, is: (scanner: ScannerView) => boolean): Promise<ScannerView> {
    return waitFor(`scanner '${name}'`, WAIT_TIMEOUT_MS, [], async () => {
      const { scanners } = await this.call("GET", "/api/scanners", scannerListSchema);
      return scanners.find((scanner) => scanner.name === name && is(scanner));
    });
  }

  /** Waits for a heartbeat, which has metrics. A registration makes a scanner active too, but has none. */
  activeScanner(name: string): Promise<ScannerView> {
    return this.scannerWhen(name, ({ status, metrics }) => status === "active" && metrics !== null);
  }

  scanWhen(id: number, is: (scan: ScanView) => boolean): Promise<ScanView> {
    return waitFor(`scan ${id}`, WAIT_TIMEOUT_MS, [], async () => {
      const scan = await this.call("GET", `/api/scans/${id}`, scanViewSchema);
      return is(scan) ? scan : undefined;
    });
  }

  /** All of them, page after page. */
  async results(scanId: number): Promise<ResultView[]> {
    const all: ResultView[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const path = `/api/scans/${scanId}/results?limit=1000${after}`;
      const page: z.infer<typeof resultListSchema> = await this.call("GET", path, resultListSchema);
      all.push(...page.results);
      cursor = page.nextCursor;
    }
    return all;
  }

  private async call<T>(method: string, path: string, schema: z.ZodType<T>, body?: object): Promise<T> {
    const { url, token, ca } = this.access;
    const response = await fetch(`${url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(ca === undefined ? {} : { tls: { ca } }),
    });
    if (!response.ok)
      throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return schema.parse(await response.json());
  }
}
