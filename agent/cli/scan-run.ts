/** One scan from its first word to its last: discovery where it is asked for, the scan, the report, what is left behind. */

import { countAddresses } from "#shared/net/address-set.ts";
import type { HostResult, ScanSummary } from "#shared/protocol/job.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { ScanRequest } from "../engine/plan.ts";
import { Scan } from "../engine/scan.ts";
import { type FormatName, type Look, newReportWriter } from "../output/formats.ts";
import type { RunDescription } from "../output/report-writer.ts";
import type { CliContext } from "./context.ts";
import { discoveryRequest, HostsUp } from "./discovery.ts";
import { EXIT_FAILED, EXIT_INTERRUPTED } from "./exit-codes.ts";
import { leaveResumeFile } from "./leave-resume-file.ts";
import { fileSink, type OutputSink, outputSink } from "./output-sink.ts";
import { ProgressLine } from "./progress-line.ts";
import { ReportOutput } from "./report-output.ts";
import { runSummaryPieces } from "./run-summary.ts";
import type { TunableFlags } from "./scan-flags.ts";
import { summaryText } from "./summary-text.ts";

export interface ScanSettings {
  readonly request: ScanRequest;
  /** The flags that a resumed scan takes over. */
  readonly tunable: TunableFlags;
  readonly discoverFirst: boolean;
  readonly commandLine: string;
  readonly format: FormatName;
  readonly look: Look;
  /** undefined is standard output. */
  readonly outputPath: string | undefined;
  readonly summaryPath: string | undefined;
  readonly isQuiet: boolean;
}

/** @returns the exit code */
export async function runScan(context: CliContext, settings: ScanSettings): Promise<number> {
  const run = new ScanRun(context, settings);
  // Planned before a file is touched: a scan that cannot be must not cost the last report. Files are opened before
  // anything is sent: an hour of work must not end at one that cannot be written.
  const first = run.plan(settings.discoverFirst ? discoveryRequest(settings.request) : settings.request);
  const sinks: OutputSink[] = [];
  const openSink = async (path: string): Promise<OutputSink> => {
    const sink = await fileSink(path);
    sinks.push(sink);
    return sink;
  };
  try {
    const { outputPath, summaryPath } = settings;
    const output = outputPath === undefined ? outputSink(context.stdout) : await openSink(outputPath);
    const summaryFile = summaryPath === undefined ? undefined : await openSink(summaryPath);
    return await run.run(first, output, summaryFile);
  } finally {
    for (const sink of sinks) await sink.close();
  }
}

class ScanRun {
  private readonly context: CliContext;
  private readonly settings: ScanSettings;
  private readonly startedAtMs = Date.now();
  private readonly startedMs = performance.now();
  /** What runs now, or ran last. */
  private present: PlannedScan | undefined;
  private progress: ProgressLine | undefined;
  private isReaderGone = false;

  constructor(context: CliContext, settings: ScanSettings) {
    this.context = context;
    this.settings = settings;
  }

  /** Nothing is sent yet. @throws PortolanError where it cannot be */
  plan(request: ScanRequest): PlannedScan {
    return { request, scan: new Scan(request, (message) => void this.tell(`note: ${message}\n`)) };
  }

  /** @returns the exit code */
  async run(first: PlannedScan, output: OutputSink, summaryFile: OutputSink | undefined): Promise<number> {
    const { request, format, look, discoverFirst } = this.settings;
    const description = this.describe();
    const report = this.reportTo(output);
    await report.begin(description);
    let summary: ScanSummary;
    try {
      summary = discoverFirst ? await this.discoverAndScan(first, report) : await this.observe(first, report);
    } catch (error) {
      await report.end(undefined);
      throw error;
    }
    await report.end(summary);
    // Where nobody is up, the search for hosts is all there was.
    const { find } = this.present?.request ?? request;
    await this.tell((look.isLive && format === "table" ? "\n" : "") + summaryText(summary, find));
    if (summaryFile !== undefined) {
      for (const piece of runSummaryPieces(description, request, summary)) await summaryFile.write(piece);
    }
    if (summary.ended !== "interrupted" && summary.ended !== "failed") return 0;
    if (!this.isReaderGone) await this.tell(await this.howToGoOn());
    return summary.ended === "failed" ? EXIT_FAILED : EXIT_INTERRUPTED;
  }

  private reportTo(output: OutputSink): ReportOutput {
    const { format, look, outputPath } = this.settings;
    const sharesTerminal = outputPath === undefined && this.context.stdout.isTerminal;
    return new ReportOutput(
      newReportWriter(format, look),
      output,
      () => (sharesTerminal ? this.progress?.clear() : undefined),
      () => this.readerGone(),
    );
  }

  private describe(): RunDescription {
    const { request, commandLine } = this.settings;
    return {
      version: PORTOLAN_VERSION,
      commandLine,
      startedAtMs: this.startedAtMs,
      find: request.find,
      tcpPorts: request.tcpPorts,
      udpPorts: request.udpPorts,
    };
  }

  private async discoverAndScan(discovery: PlannedScan, report: ReportOutput): Promise<ScanSummary> {
    const { request } = this.settings;
    const up = new HostsUp();
    const discovered = await this.observe(discovery, report, (results) => up.add(results));
    const addresses = up.addresses();
    const count = countAddresses(addresses);
    await this.tell(`hosts up: ${count} of ${discovered.addresses}\n`);
    if (count === 0 || discovered.ended !== "done") return discovered;
    const maxRuntimeMs =
      request.maxRuntimeMs === undefined
        ? undefined
        : Math.max(1, request.maxRuntimeMs - (performance.now() - this.startedMs));
    return await this.observe(this.plan({ ...request, addresses, maxRuntimeMs }), report);
  }

  /** Runs a scan and reports what it finds. */
  private async observe(
    planned: PlannedScan,
    report: ReportOutput,
    onHosts?: (results: readonly HostResult[]) => void,
  ): Promise<ScanSummary> {
    const { context, settings } = this;
    const { scan } = planned;
    this.present = planned;
    const stop = (): void => scan.stop("interrupted");
    if (context.interrupted.aborted || this.isReaderGone) stop();
    context.interrupted.addEventListener("abort", stop);
    this.progress = new ProgressLine(scan, context.stderr, !settings.isQuiet);
    this.progress.start();
    try {
      return await scan.run(context.workers, {
        ports: (results) => report.ports(results),
        hosts: async (results) => {
          onHosts?.(results);
          await report.hosts(results);
        },
        note: (message) => void this.tell(`note: ${message}\n`),
      });
    } finally {
      this.progress.stop();
      this.progress = undefined;
      context.interrupted.removeEventListener("abort", stop);
    }
  }

  private async howToGoOn(): Promise<string> {
    const { request, tunable, discoverFirst } = this.settings;
    const { present } = this;
    if (present === undefined) return "";
    if (discoverFirst && present.request.find !== request.find) {
      return "stopped while it looked for hosts: there is nothing to resume, a new scan begins again\n";
    }
    return await leaveResumeFile(present.request, tunable, present.scan.resumePoint(), Date.now());
  }

  private readerGone(): void {
    this.isReaderGone = true;
    this.present?.scan.stop("interrupted");
  }

  private async tell(text: string): Promise<void> {
    if (this.settings.isQuiet) return;
    this.progress?.clear();
    await this.context.stderr.write(text);
  }
}

interface PlannedScan {
  readonly request: ScanRequest;
  readonly scan: Scan;
}
