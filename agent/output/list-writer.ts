/** The list format of masscan (-oL): `open tcp 80 10.0.0.1 1763699000`, a line a result, `#` before all else. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import type { ReportWriter, RunDescription } from "./report-writer.ts";
import { visibleText } from "#shared/output/visible-text.ts";

export class ListWriter implements ReportWriter {
  begin(run: RunDescription): string {
    return `# portolan ${run.version}: ${visibleText(run.commandLine)}\n`;
  }

  ports(results: readonly PortResult[]): string {
    return results
      .map(
        ({ state, protocol, port, address, observedAt }) =>
          `${state} ${protocol} ${port} ${address} ${unixSeconds(observedAt)}\n`,
      )
      .join("");
  }

  /** A host has no port: it stands as `up host 0`. */
  hosts(results: readonly HostResult[]): string {
    return results
      .map(({ state, address, observedAt, suspicious }) => {
        const line = `${state} host 0 ${address} ${unixSeconds(observedAt)}\n`;
        return suspicious === undefined ? line : `${line}# warning: ${address} ${suspicious}\n`;
      })
      .join("");
  }

  end(summary: ScanSummary | undefined): Iterable<string> {
    return [summary === undefined || summary.partial ? "# end, partial\n" : "# end\n"];
  }
}

function unixSeconds(timestamp: string): number {
  return Math.floor(Date.parse(timestamp) / 1_000);
}
