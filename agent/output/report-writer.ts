/**
 * What every output format is: text to write at the start, for results as they come, and at the end.
 * Formats only make text; where it goes, and how fast, is the caller's business.
 */

import type { NumberRange } from "#shared/net/ranges.ts";
import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";

/** What is known of a scan before it starts. */
export interface RunDescription {
  readonly version: string;
  /** As the user wrote it. */
  readonly commandLine: string;
  readonly startedAtMs: number;
  /** `hosts`: who is there; the ports are then not used. */
  readonly find: "ports" | "hosts";
  readonly tcpPorts: readonly NumberRange[];
  readonly udpPorts: readonly NumberRange[];
}

export interface ReportWriter {
  /** Each returns what to write now; "" where the format keeps it for the end. */
  begin(run: RunDescription): string;
  ports(results: readonly PortResult[]): string;
  hosts(results: readonly HostResult[]): string;
  /**
   * The rest, in pieces, so that a long report is never one string.
   * @param summary undefined where the scan failed; the report is whole nevertheless, with what was found until then
   */
  end(summary: ScanSummary | undefined): Iterable<string>;
}
