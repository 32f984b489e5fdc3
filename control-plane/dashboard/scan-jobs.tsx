/** The jobs of a scan: what each scanner has to do with it. */

import type { ScanView } from "#shared/protocol/operator.ts";
import { StatusBadge } from "./badge.tsx";
import { Coverage } from "./coverage.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { formatCount } from "./format.ts";

type Job = ScanView["jobs"][number];

export function ScanJobs({ jobs }: { readonly jobs: readonly Job[] }) {
  return <DataTable caption="Jobs of this scan" columns={COLUMNS} rows={jobs} keyOf={({ id }) => id} />;
}

const COLUMNS: readonly Column<Job>[] = [
  { label: "Scanner", cell: ({ scannerName }) => scannerName },
  {
    label: "Status",
    cell: ({ status, attempt, errorMessage }) => (
      <>
        <StatusBadge status={status} /> {attempt > 1 && <span class="muted">attempt {attempt}</span>}
        {errorMessage !== null && (
          <div class="bad-text">
            <ForeignText text={errorMessage} />
          </div>
        )}
      </>
    ),
  },
  { label: "Coverage", cell: ({ coverage, scannerName }) => <Coverage share={coverage} of={scannerName} /> },
  { label: "Probes sent", isNumber: true, cell: ({ progressCount }) => formatCount(progressCount) },
  { label: "Results", isNumber: true, cell: ({ resultCount }) => formatCount(resultCount) },
  {
    label: "Link",
    cell: ({ summary }) => (summary === null ? "–" : <ForeignText text={summary.link} />),
  },
];
