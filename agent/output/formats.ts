/** Every output format by name, and the endings of file names that ask for it. */

import { CsvWriter } from "./csv-writer.ts";
import { GrepableWriter } from "./grepable-writer.ts";
import { JsonWriter } from "./json-writer.ts";
import { ListWriter } from "./list-writer.ts";
import { NdjsonWriter } from "./ndjson-writer.ts";
import type { ReportWriter } from "./report-writer.ts";
import { TableWriter } from "./table-writer.ts";
import { newPaint, type Paint } from "./terminal-style.ts";
import { XmlWriter } from "./xml-writer.ts";

export const FORMAT_NAMES = ["table", "ndjson", "json", "csv", "list", "grepable", "xml"] as const;
export type FormatName = (typeof FORMAT_NAMES)[number];

/** How formats for people look: on a terminal they may have colours, and show results while they come. */
export interface Look {
  readonly paint: Paint;
  readonly isLive: boolean;
}

const PLAIN: Look = { paint: newPaint(false), isLive: false };

const FORMATS: Readonly<
  Record<FormatName, { newWriter(look: Look): ReportWriter; readonly endings: readonly string[] }>
> = {
  table: { newWriter: ({ paint, isLive }) => new TableWriter(paint, isLive), endings: [".txt"] },
  ndjson: { newWriter: () => new NdjsonWriter(), endings: [".ndjson", ".jsonl"] },
  json: { newWriter: () => new JsonWriter(), endings: [".json"] },
  csv: { newWriter: () => new CsvWriter(), endings: [".csv"] },
  list: { newWriter: () => new ListWriter(), endings: [".list", ".lst"] },
  grepable: { newWriter: () => new GrepableWriter(), endings: [".gnmap"] },
  xml: { newWriter: () => new XmlWriter(), endings: [".xml"] },
};

export function newReportWriter(format: FormatName, look: Look = PLAIN): ReportWriter {
  return FORMATS[format].newWriter(look);
}

/** The format that a file name asks for by its ending. */
export function formatOfFile(path: string): FormatName | undefined {
  const name = path.toLowerCase();
  return FORMAT_NAMES.find((format) => FORMATS[format].endings.some((ending) => name.endsWith(ending)));
}
