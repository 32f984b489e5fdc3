/** All scanners as they are doing, and the way to add one. */

import { useState } from "preact/hooks";
import { scannerListSchema, type ScannerView } from "#shared/protocol/operator.ts";
import { AddScanner } from "./add-scanner.tsx";
import { useApi } from "./api.ts";
import { Badge, StatusBadge } from "./badge.tsx";
import { type Column, DataTable } from "./data-table.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { formatAgo, formatBytes, formatCount, formatLoad, formatMemoryUsed, formatTime } from "./format.ts";
import { LoadError } from "./load-error.tsx";
import { Page } from "./page.tsx";
import { useMayChange } from "./session.ts";
import { usePolled } from "./use-polled.ts";

const POLL_PAUSE_MS = 5_000;

export function ScannersPage() {
  const api = useApi();
  const mayChange = useMayChange();
  const [isAdding, setAdding] = useState(false);
  const { data, error, refresh } = usePolled(
    (signal) => api.get("/api/scanners", scannerListSchema, {}, signal),
    "scanners",
    () => POLL_PAUSE_MS,
  );
  const close = (): void => {
    setAdding(false);
    refresh();
  };
  const addButton = (
    <button type="button" class="primary" onClick={() => setAdding(true)}>
      Add scanner
    </button>
  );
  return (
    <Page title="Scanners" actions={mayChange ? addButton : undefined}>
      <LoadError error={error} isStale={data !== undefined} />
      {data === undefined ? null : data.scanners.length === 0 ? (
        <div class="empty">
          <p>There are no scanners yet.</p>
          <p>
            {mayChange
              ? "Add one: you get a line to run on the host that is to scan."
              : "Someone with the role operator can add one."}
          </p>
        </div>
      ) : (
        <DataTable caption="Scanners" columns={COLUMNS} rows={data.scanners} keyOf={({ id }) => id} />
      )}
      {isAdding && <AddScanner onClose={close} />}
    </Page>
  );
}

const COLUMNS: readonly Column<ScannerView>[] = [
  { label: "Scanner", cell: nameCell },
  { label: "Status", cell: statusCell },
  { label: "Version", cell: ({ version }) => <ForeignText text={version ?? "–"} /> },
  { label: "External address", cell: ({ externalIp }) => externalIp ?? "–" },
  { label: "Last heartbeat", cell: heartbeatCell },
  {
    label: "Load / CPUs",
    isNumber: true,
    cell: ({ metrics }) => <span class="nowrap">{formatLoad(metrics?.loadAvg1m, metrics?.numCpus)}</span>,
  },
  {
    label: "Memory used",
    isNumber: true,
    cell: ({ metrics }) => formatMemoryUsed(metrics?.memoryTotalBytes, metrics?.memoryAvailableBytes),
  },
  { label: "Network", isNumber: true, cell: networkCell },
  { label: "Jobs", isNumber: true, cell: ({ activeJobs }) => formatCount(activeJobs) },
  { label: "Binding", cell: bindingCell },
];

function nameCell({ name, hostname, description }: ScannerView) {
  return (
    <>
      <strong>{name}</strong>
      {hostname !== null && hostname !== name && (
        <div class="muted">
          <ForeignText text={hostname} />
        </div>
      )}
      {description !== "" && (
        <div class="muted">
          <ForeignText text={description} />
        </div>
      )}
    </>
  );
}

function statusCell({ status, lastAuthError }: ScannerView) {
  return (
    <>
      <StatusBadge status={status} />
      {lastAuthError !== null && (
        <div class="bad-text">
          {lastAuthError.code}
          <div class="muted">
            from <bdi>{lastAuthError.address}</bdi>, {formatAgo(lastAuthError.at, Date.now())}
          </div>
        </div>
      )}
    </>
  );
}

function heartbeatCell({ lastHeartbeatAt }: ScannerView) {
  if (lastHeartbeatAt === null) return "never";
  return (
    <time dateTime={lastHeartbeatAt} title={formatTime(lastHeartbeatAt)}>
      {formatAgo(lastHeartbeatAt, Date.now())}
    </time>
  );
}

/** Totals since the host started. */
function networkCell({ metrics }: ScannerView) {
  if (metrics?.networkRxBytes === undefined) return "–";
  return (
    <>
      <div class="nowrap">{formatBytes(metrics?.networkRxBytes)} in</div>
      <div class="nowrap">{formatBytes(metrics?.networkTxBytes)} out</div>
    </>
  );
}

function bindingCell({ binding: { mode, value, mismatchCount } }: ScannerView) {
  return (
    <>
      {mode === "none" ? <span class="muted">none</span> : `${mode} ${value ?? "of first contact"}`}{" "}
      {mismatchCount > 0 && (
        <Badge
          tone="bad"
          text={mismatchCount === 1 ? "1 mismatch" : `${formatCount(mismatchCount)} mismatches`}
        />
      )}
    </>
  );
}
