/** One JSON document: what was run, an array of results that grows while the scan runs, and the summary. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import type { ReportWriter, RunDescription } from "./report-writer.ts";
import { visibleJson } from "#shared/output/visible-text.ts";

export class JsonWriter implements ReportWriter {
  private isFirst = true;

  begin(run: RunDescription): string {
    const head = {
      scanner: "portolan",
      version: run.version,
      command: run.commandLine,
      startedAt: new Date(run.startedAtMs).toISOString(),
    };
    // The document is left open, for the results.
    return `${visibleJson(head).slice(0, -1)},"results":[`;
  }

  ports(results: readonly PortResult[]): string {
    return results.map((result) => this.element({ type: "port", ...result })).join("");
  }

  hosts(results: readonly HostResult[]): string {
    return results.map((result) => this.element({ type: "host", ...result })).join("");
  }

  end(summary: ScanSummary | undefined): Iterable<string> {
    return [`\n],"summary":${visibleJson(summary ?? null)}}\n`];
  }

  private element(value: unknown): string {
    const separator = this.isFirst ? "\n" : ",\n";
    this.isFirst = false;
    return separator + visibleJson(value);
  }
}
