/** The formats that write results as they come: NDJSON, JSON, CSV, list. Read back by readers that are not ours. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { hostResultSchema, portResultSchema } from "#shared/protocol/job.ts";
import { CSV_COLUMNS } from "./csv-writer.ts";
import { newReportWriter } from "./formats.ts";
import { host, HOSTILE, HOSTS, port, PORTS, reportText, RUN, SUMMARY } from "./testing/samples.ts";
import { visibleText } from "#shared/output/visible-text.ts";

const CONTROL = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;

describe("ndjson", () => {
  test("a line a result, each with its type, then the summary", () => {
    const lines = reportText("ndjson", PORTS, HOSTS).split("\n");
    expect(lines.pop()).toBe("");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      ...PORTS.map((result) => ({ type: "port", ...result })),
      ...HOSTS.map((result) => ({ type: "host", ...result })),
      { type: "summary", ...SUMMARY },
    ]);
  });

  test("writes a result at once", () => {
    const writer = newReportWriter("ndjson");
    expect(writer.ports([port({})])).toEndWith("}\n");
    expect(writer.hosts([host({})])).toEndWith("}\n");
  });

  test("reads back whatever a banner holds, and holds nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE)), (banner) => {
        const [line = "", rest] = reportText("ndjson", [port({ banner })], [], "none").split("\n");
        expect(rest).toBe("");
        expect(line).not.toMatch(CONTROL);
        expect(JSON.parse(line).banner).toBe(banner);
      }),
    );
  });
});

describe("json", () => {
  test("one document with everything", () => {
    const document = JSON.parse(reportText("json", PORTS, HOSTS));
    expect(document).toEqual({
      scanner: "portolan",
      version: "1.2.3",
      command: RUN.commandLine,
      startedAt: "2026-01-27T10:30:00.000Z",
      results: [
        ...PORTS.map((result) => ({ type: "port", ...result })),
        ...HOSTS.map((result) => ({ type: "host", ...result })),
      ],
      summary: SUMMARY,
    });
    for (const { type, ...result } of document.results) {
      (type === "port" ? portResultSchema : hostResultSchema).parse(result);
    }
  });

  test.each([
    ["nothing was found", reportText("json", [], [])],
    ["the scan failed", reportText("json", PORTS, [], "none")],
    [
      "everything is hostile",
      reportText(
        "json",
        HOSTILE.map((banner) => port({ banner })),
        [],
      ),
    ],
  ])("is whole where %s", (_case, text) => {
    expect(() => JSON.parse(text)).not.toThrow();
    expect(text.replaceAll("\n", "")).not.toMatch(CONTROL);
  });
});

/** RFC 4180, strictly: every record ends with CRLF, and a quote stands only where the grammar has one. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let fields: string[] = [];
  const token = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const match = token.exec(text);
    if (match === null) throw new Error(`no CSV at ${at}: ${text.slice(at, at + 40)}`);
    fields.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === ",") continue;
    records.push(fields);
    fields = [];
  }
  return records;
}

describe("csv", () => {
  test("a header and a record a result", () => {
    const [header, ...records] = parseCsv(reportText("csv", PORTS, HOSTS));
    expect(header).toEqual([...CSV_COLUMNS]);
    expect(records).toHaveLength(PORTS.length + HOSTS.length);
    const rows = records.map((record) =>
      Object.fromEntries(
        record.map((value, i) => [CSV_COLUMNS[i], value]).filter(([, value]) => value !== ""),
      ),
    );
    const asText = (result: object): object =>
      Object.fromEntries(Object.entries(result).map(([name, value]) => [name, String(value)]));
    expect(rows).toEqual([
      ...PORTS.map((result) => asText({ type: "port", ...result })),
      ...HOSTS.map((result) => asText({ type: "host", ...result })),
    ]);
  });

  test("any text reads back as its visible form, on one line, and runs in no spreadsheet", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(...HOSTILE)), (product) => {
        const text = reportText("csv", [port({ product })], []);
        expect(text.split("\r\n")).toHaveLength(3);
        const [, record = []] = parseCsv(text);
        const value = record[CSV_COLUMNS.indexOf("product")] ?? "";
        expect(value).not.toMatch(/^[=+\-@]/);
        expect(value).not.toMatch(CONTROL);
        expect(value.replace(/^'/, "")).toBe(visibleText(product));
      }),
    );
  });
});

describe("list", () => {
  test("masscan's columns, hosts as port 0, warnings as comments", () => {
    expect(reportText("list", PORTS.slice(1, 3), HOSTS)).toBe(
      [
        `# portolan 1.2.3: ${RUN.commandLine}`,
        "closed tcp 80 10.0.0.10 1769509800",
        "open tcp 80 10.0.0.2 1769509800",
        "up host 0 10.0.0.2 1769509800",
        "up host 0 10.0.0.3 1769509800",
        "# warning: 10.0.0.3 answers-on-every-port",
        "down host 0 10.0.0.1 1769509800",
        "# end",
        "",
      ].join("\n"),
    );
  });

  test("says where a scan was cut short, and keeps a command line on its line", () => {
    const text = reportText(
      "list",
      [],
      [],
      { ...SUMMARY, partial: true },
      { ...RUN, commandLine: "a\nb\u001B" },
    );
    expect(text).toBe("# portolan 1.2.3: a\\x0Ab\\x1B\n# end, partial\n");
    expect(reportText("list", [], [], "none")).toEndWith("# end, partial\n");
  });
});
