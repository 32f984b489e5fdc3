/**
 * CSV after RFC 4180, with a header, one record a line. Control characters are shown as `\x1B`, so that no record spans
 * lines. Text that a spreadsheet would run as a formula gets a `'` in front, and so does text that begins with one.
 */

import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import type { ReportWriter } from "./report-writer.ts";
import { visibleText } from "./visible-text.ts";

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
    return `${CSV_COLUMNS.join(",")}\r\n`;
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
  return `${CSV_COLUMNS.map((column) => field(row[column])).join(",")}\r\n`;
}

function field(value: string | number | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = visibleText(value);
  const inert = /^[=+\-@']/.test(text) ? `'${text}` : text;
  return /[",]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
