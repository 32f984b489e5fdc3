/** Scans, newest first. */

import { useState } from "preact/hooks";
import type { z } from "zod";
import { scanListSchema } from "#shared/protocol/operator.ts";
import { useApi } from "./api.ts";
import { StatusBadge } from "./badge.tsx";
import { Coverage } from "./coverage.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { formatCount } from "./format.ts";
import { LoadError } from "./load-error.tsx";
import { Page } from "./page.tsx";
import { FIRST_PAGE, Pager, type PagePosition } from "./pager.tsx";
import { scanHref, START_SCAN_HREF } from "./route.ts";
import { useMayChange } from "./session.ts";
import { Time } from "./time.tsx";
import { usePolled } from "./use-polled.ts";

type ScanListItem = z.infer<typeof scanListSchema>["scans"][number];

const POLL_PAUSE_MS = 5_000;
const PAGE_SIZE = 50;

export function ScansPage() {
  const api = useApi();
  const mayChange = useMayChange();
  const [position, setPosition] = useState<PagePosition>(FIRST_PAGE);
  const { data, error } = usePolled(
    (signal) => api.get("/api/scans", scanListSchema, { limit: PAGE_SIZE, cursor: position.cursor }, signal),
    `scans ${position.cursor}`,
    () => POLL_PAUSE_MS,
  );
  const startLink = (
    <a class="button primary" href={START_SCAN_HREF}>
      Start scan
    </a>
  );
  return (
    <Page title="Scans" actions={mayChange ? startLink : undefined}>
      <LoadError error={error} isStale={data !== undefined} />
      {data === undefined ? null : data.scans.length === 0 && position.before.length === 0 ? (
        <div class="empty">
          <p>Nothing has been scanned yet.</p>
          <p>
            {mayChange
              ? "Start a scan: choose scanners, addresses and ports."
              : "Someone with the role operator can start a scan."}
          </p>
        </div>
      ) : (
        <>
          <DataTable
            caption="Scans, newest first"
            columns={COLUMNS}
            rows={data.scans}
            keyOf={({ id }) => id}
          />
          <Pager position={position} nextCursor={data.nextCursor} onMove={setPosition} />
        </>
      )}
    </Page>
  );
}

const COLUMNS: readonly Column<ScanListItem>[] = [
  {
    label: "Scan",
    cell: ({ id, name, targets, ports }) => (
      <>
        <a href={scanHref(id)}>
          {id} {name !== "" && <ForeignText text={name} />}
        </a>
        <div class="muted">
          <ForeignText text={`${targets.slice(0, 3).join(", ")}${targets.length > 3 ? ", …" : ""}`} /> ports{" "}
          <ForeignText text={ports} />
        </div>
      </>
    ),
  },
  {
    label: "Status",
    cell: ({ status, errorMessage }) => (
      <>
        <StatusBadge status={status} />
        {errorMessage !== null && (
          <div class="bad-text">
            <ForeignText text={errorMessage} />
          </div>
        )}
      </>
    ),
  },
  { label: "Coverage", cell: ({ id, coverage }) => <Coverage share={coverage} of={`scan ${id}`} /> },
  { label: "Results", isNumber: true, cell: ({ resultCount }) => formatCount(resultCount) },
  { label: "Started", cell: ({ startedAt }) => <Time at={startedAt} /> },
  { label: "Ended", cell: ({ endedAt }) => <Time at={endedAt} /> },
];
