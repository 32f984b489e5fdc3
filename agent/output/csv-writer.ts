/** CSV with a header, one record a line: `shared/output/csv-record.ts` says how it is written. */

import { csvRecord } from "#shared/output/csv-record.ts";
import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import type { ReportWriter } from "./report-writer.ts";

export const CSV_COLUMNS = [
  "type",
  "address",
  "port",
  "protocol",
  "state",
  "reason",
  "ttl",
  "service",
  "product",
  "version",
  "cpe",
  "banner",
  "macAddress",
  "macVendor",
  "hostname",
  "suspicious",
  "observedAt",
] as const;

type Row = { readonly [Column in (typeof CSV_COLUMNS)[number]]?: string | number | undefined };

export class CsvWriter implements ReportWriter {
  begin(): string {
    return csvRecord(CSV_COLUMNS);
  }

  ports(results: readonly PortResult[]): string {
    return results.map((result) => line({ type: "port", ...result })).join("");
  }

  hosts(results: readonly HostResult[]): string {
    return results.map((result) => line({ type: "host", ...result })).join("");
  }

  end(): Iterable<string> {
    return [];
  }
}

function line(row: Row): string {
  return csvRecord(CSV_COLUMNS.map((column) => row[column]));
}
