/** What a scan found: filtered and in pages, by the server. */

import { useState } from "preact/hooks";
import { portStateSchema } from "#shared/protocol/fields.ts";
import { resultListSchema, type ResultView, type ScanView } from "#shared/protocol/operator.ts";
import { useApi } from "./api.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { LoadError } from "./load-error.tsx";
import { FIRST_PAGE, Pager, type PagePosition } from "./pager.tsx";
import { Time } from "./time.tsx";
import { usePolled } from "./use-polled.ts";
import { textOf } from "./use-submit.ts";

const POLL_PAUSE_MS = 2_000;
const PAGE_SIZE = 100;

interface Filter {
  readonly state: string;
  readonly port: string;
  readonly address: string;
}

const NO_FILTER: Filter = { state: "", port: "", address: "" };

export interface ScanResultsProps {
  readonly scan: ScanView;
  readonly isUnderWay: boolean;
}

export function ScanResults({ scan, isUnderWay }: ScanResultsProps) {
  const api = useApi();
  const [filter, setFilter] = useState(NO_FILTER);
  const [position, setPosition] = useState<PagePosition>(FIRST_PAGE);
  const query = { ...filter, limit: PAGE_SIZE, cursor: position.cursor };
  const { data, error } = usePolled(
    (signal) => api.get(`/api/scans/${scan.id}/results`, resultListSchema, query, signal),
    // Asked once more when the scan has ended, for what came in last.
    JSON.stringify([query, isUnderWay]),
    () => (isUnderWay ? POLL_PAUSE_MS : undefined),
  );
  const apply = (next: Filter): void => {
    setFilter(next);
    setPosition(FIRST_PAGE);
  };
  return (
    <>
      <h2>Results</h2>
      <ResultFilter onApply={apply} />
      <LoadError error={error} isStale={data !== undefined} />
      {data === undefined ? null : data.results.length === 0 ? (
        <p class="empty">{emptyText(filter !== NO_FILTER, isUnderWay)}</p>
      ) : (
        <>
          <DataTable
            caption="Results, by address and port"
            columns={columnsFor(scan)}
            rows={data.results}
            keyOf={({ id }) => id}
          />
          <Pager position={position} nextCursor={data.nextCursor} onMove={setPosition} />
        </>
      )}
    </>
  );
}

function emptyText(isFiltered: boolean, isUnderWay: boolean): string {
  if (isFiltered) return "No result is like that. Clear the filter to see all.";
  return isUnderWay ? "Nothing found yet." : "Nothing was found in the states asked for.";
}

function ResultFilter({ onApply }: { readonly onApply: (filter: Filter) => void }) {
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    onApply({ state: textOf(form, "state"), port: textOf(form, "port"), address: textOf(form, "address") });
  };
  return (
    <form class="filter" onSubmit={onSubmit} onReset={() => onApply(NO_FILTER)} aria-label="Filter results">
      <label>
        State
        <select name="state">
          <option value="">any</option>
          {portStateSchema.options.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <label>
        Port
        <input name="port" type="number" min={0} max={65_535} />
      </label>
      <label>
        Address
        <input name="address" placeholder="10.0.0.1" spellcheck={false} />
      </label>
      <button type="submit">Filter</button>
      <button type="reset">Clear</button>
    </form>
  );
}

function columnsFor(scan: ScanView): readonly Column<ResultView>[] {
  const names = new Map(scan.jobs.map(({ scannerId, scannerName }) => [scannerId, scannerName]));
  return names.size < 2
    ? COLUMNS
    : [{ label: "Scanner", cell: ({ scannerId }) => names.get(scannerId) ?? scannerId }, ...COLUMNS];
}

const COLUMNS: readonly Column<ResultView>[] = [
  { label: "Address", cell: ({ address }) => address },
  { label: "Port", isNumber: true, cell: ({ port, protocol }) => `${port}/${protocol}` },
  { label: "State", cell: ({ state }) => <span class={`state ${state}`}>{state}</span> },
  {
    label: "Reason",
    cell: ({ reason, ttl }) => <ForeignText text={ttl === undefined ? reason : `${reason}, TTL ${ttl}`} />,
  },
  { label: "Service", cell: serviceCell },
  { label: "Last seen", cell: ({ lastSeen }) => <Time at={lastSeen} /> },
];

function serviceCell({ service, product, version, banner }: ResultView) {
  const software = [product, version].filter((part) => part !== undefined).join(" ");
  const known = [service, software].filter((part) => part !== undefined && part !== "").join(": ");
  return (
    <>
      {known !== "" && <ForeignText text={known} />}
      {banner !== undefined && (
        <code class="banner">
          <ForeignText text={banner} />
        </code>
      )}
      {known === "" && banner === undefined && "–"}
    </>
  );
}
