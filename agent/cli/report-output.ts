/** A report on its way out: what a writer makes of results, to where they go, in the order in which they come. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { withMacVendor } from "../identify/mac-vendor.ts";
import type { ReportWriter, RunDescription } from "../output/report-writer.ts";
import type { OutputSink } from "./output-sink.ts";

export class ReportOutput {
  private readonly writer: ReportWriter;
  private readonly sink: OutputSink;
  /** Makes room on a terminal that shows progress, too. */
  private readonly beforeWrite: () => void;
  /** Nobody reads any more, as with `| head`. */
  private readonly onReaderGone: () => void;

  constructor(writer: ReportWriter, sink: OutputSink, beforeWrite: () => void, onReaderGone: () => void) {
    this.writer = writer;
    this.sink = sink;
    this.beforeWrite = beforeWrite;
    this.onReaderGone = onReaderGone;
  }

  begin(run: RunDescription): Promise<void> {
    return this.write(this.writer.begin(run));
  }

  ports(results: readonly PortResult[]): Promise<void> {
    return this.write(this.writer.ports(results.map((result) => withMacVendor(result))));
  }

  hosts(results: readonly HostResult[]): Promise<void> {
    return this.write(this.writer.hosts(results.map((result) => withMacVendor(result))));
  }

  async end(summary: ScanSummary | undefined): Promise<void> {
    for (const text of this.writer.end(summary)) await this.write(text);
  }

  private async write(text: string): Promise<void> {
    if (text === "") return;
    this.beforeWrite();
    if (!(await this.sink.write(text))) this.onReaderGone();
  }
}
