/** All results of a scan in one text, written part by part, so that scans of any size need little memory. */

import type { Difference, ExportFormat } from "#shared/protocol/comparisons.ts";
import { csvRecord } from "#shared/output/csv-record.ts";
import type { EndpointKey } from "../store/endpoint-key.ts";
import { listResults } from "../store/results.ts";
import type { ScanRow } from "../store/scans.ts";
import type { Store } from "../store/store.ts";
import { listVantagesOfScan, type VantageRow } from "../store/vantages.ts";
import { exportWriter, type ExportWriter } from "./export-formats.ts";
import { requireScan, resultsOf, viewResults } from "./results.ts";

const PART = 2_000;

export interface ExportedText {
  readonly contentType: string;
  readonly fileName: string;
  readonly parts: AsyncGenerator<string>;
}

export class ScanExport {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  /** @throws PortolanError NOT_FOUND, before anything is written */
  async results(scanId: number, format: ExportFormat): Promise<ExportedText> {
    const [scan, vantages] = await this.store.run(async (session): Promise<[ScanRow, VantageRow[]]> => [
      await requireScan(session, scanId),
      await listVantagesOfScan(session, scanId),
    ]);
    const writer = exportWriter(format, scan);
    return {
      contentType: writer.contentType,
      fileName: `scan-${scanId}.${format}`,
      parts: this.write(scan, vantages, writer),
    };
  }

  private async *write(
    scan: ScanRow,
    vantages: readonly VantageRow[],
    writer: ExportWriter,
  ): AsyncGenerator<string> {
    yield writer.begin();
    for (let after: EndpointKey | undefined; ;) {
      const [rows, views] = await this.store.run(async (session) => {
        const part = await listResults(session, resultsOf(scan), after, PART);
        return [part, await viewResults(session, scan.id, part, vantages)] as const;
      });
      yield writer.results(views);
      if (rows.length < PART) break;
      after = rows.at(-1);
    }
    yield writer.end();
  }
}

const DIFFERENCE_COLUMNS = [
  "vantage",
  "withVantage",
  "address",
  "port",
  "protocol",
  "kind",
  "fromState",
  "fromService",
  "fromProduct",
  "fromVersion",
  "toState",
  "toService",
  "toProduct",
  "toVersion",
];

/** Differences as CSV with a header. A side that was not looked at has the state `unknown`. */
export async function* differencesAsCsv(
  differences: AsyncIterable<readonly Difference[]>,
): AsyncGenerator<string> {
  let header = csvRecord(DIFFERENCE_COLUMNS);
  for await (const part of differences) {
    yield header + part.map(differenceRecord).join("");
    header = "";
  }
  if (header !== "") yield header;
}

function differenceRecord(difference: Difference): string {
  const { vantage, withVantage, address, port, protocol, kind } = difference;
  const sides = [difference.from, difference.to].flatMap(({ state, covered, service, product, version }) => [
    covered ? (state ?? "not reported") : "unknown",
    service,
    product,
    version,
  ]);
  return csvRecord([vantage, withVantage, address, port, protocol, kind, ...sides]);
}
