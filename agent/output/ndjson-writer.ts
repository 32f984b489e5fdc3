/** NDJSON: one JSON object a line, as soon as it is known. `type` says what it is; the last line is the summary. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import type { ReportWriter } from "./report-writer.ts";
import { visibleJson } from "#shared/output/visible-text.ts";

export class NdjsonWriter implements ReportWriter {
  begin(): string {
    return "";
  }

  ports(results: readonly PortResult[]): string {
    return results.map((result) => `${visibleJson({ type: "port", ...result })}\n`).join("");
  }

  hosts(results: readonly HostResult[]): string {
    return results.map((result) => `${visibleJson({ type: "host", ...result })}\n`).join("");
  }

  end(summary: ScanSummary | undefined): Iterable<string> {
    return summary === undefined ? [] : [`${visibleJson({ type: "summary", ...summary })}\n`];
  }
}
