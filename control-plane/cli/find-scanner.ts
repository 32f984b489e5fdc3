/** Scanners by the names that people give them; the API goes by number. */

import { UsageError } from "#shared/errors.ts";
import { scannerListSchema, type ScannerView } from "#shared/protocol/operator.ts";
import type { ApiClient } from "./api-client.ts";

/** In the order of the names. @throws UsageError naming the first scanner that there is not */
export async function findScanners(client: ApiClient, names: readonly string[]): Promise<ScannerView[]> {
  const { scanners } = await client.get("/api/scanners", scannerListSchema);
  return names.map((name) => {
    const scanner = scanners.find((candidate) => candidate.name === name);
    if (scanner === undefined) throw new UsageError("NOT_FOUND", `there is no scanner named '${name}'`);
    return scanner;
  });
}

/** The API's path of a scanner. @throws UsageError when there is none of this name */
export async function scannerPath(client: ApiClient, name: string): Promise<string> {
  const [scanner] = await findScanners(client, [name]);
  if (scanner === undefined) throw new Error("a scanner was found and is not there");
  return `/api/config/scanners/${scanner.id}`;
}
