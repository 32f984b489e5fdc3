/** How the commands show scans and their results. */

import type { ResultView, ScanView } from "#shared/protocol/operator.ts";
import { resultListSchema } from "#shared/protocol/operator.ts";
import { MAX_PAGE_SIZE } from "#shared/protocol/limits.ts";
import type { ApiClient } from "./api-client.ts";
import { formatTable } from "./table.ts";

const percent = (share: number): string => `${(share * 100).toFixed(share === 1 ? 0 : 1)} %`;

export function describeScan(scan: ScanView): string[] {
  const lines = [
    `scan ${scan.id}: ${scan.status}, ${percent(scan.coverage)} of ${scan.probes} probes, ${scan.resultCount} results`,
  ];
  for (const job of scan.jobs) {
    const reason = job.errorMessage === null ? "" : `: ${job.errorMessage}`;
    lines.push(`  ${job.scannerName}: ${job.status}, ${percent(job.coverage)}${reason}`);
  }
  return lines;
}

/** Every result of a scan, page by page. */
export async function fetchResults(client: ApiClient, scanId: number): Promise<ResultView[]> {
  const results: ResultView[] = [];
  let cursor: string | null = "";
  while (cursor !== null) {
    const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
    const path = `/api/scans/${scanId}/results?limit=${MAX_PAGE_SIZE}${after}`;
    const page: { results: ResultView[]; nextCursor: string | null } = await client.get(
      path,
      resultListSchema,
    );
    results.push(...page.results);
    cursor = page.nextCursor;
  }
  return results;
}

/** One line a result: address, port/protocol, state, reason, scanner. */
export function formatResults(results: readonly ResultView[], scan: ScanView): string[] {
  const names = new Map(scan.jobs.map((job) => [job.scannerId, job.scannerName]));
  return formatTable(
    results.map((result) => [
      result.address,
      `${result.port}/${result.protocol}`,
      result.state,
      result.reason,
      names.get(result.scannerId) ?? String(result.scannerId),
    ]),
  );
}
