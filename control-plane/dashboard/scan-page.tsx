/** One scan: how far it is, from where, and what it found. Follows it while it runs. */

import { useState } from "preact/hooks";
import { type ScanStatus, type ScanView, scanViewSchema } from "#shared/protocol/operator.ts";
import { useApi } from "./api.ts";
import { StatusBadge } from "./badge.tsx";
import { Coverage } from "./coverage.tsx";
import { ForeignText } from "./foreign-text.tsx";
import { formatCount, formatTime } from "./format.ts";
import { LoadError } from "./load-error.tsx";
import { Page } from "./page.tsx";
import { ScanJobs } from "./scan-jobs.tsx";
import { ScanResults } from "./scan-results.tsx";
import { useMayChange } from "./session.ts";
import { usePolled } from "./use-polled.ts";

const POLL_PAUSE_MS = 2_000;

function isUnderWay(status: ScanStatus): boolean {
  return status === "planned" || status === "running";
}

export function ScanPage({ id }: { readonly id: number }) {
  const api = useApi();
  const mayChange = useMayChange();
  const { data, error, refresh } = usePolled(
    (signal) => api.get(`/api/scans/${id}`, scanViewSchema, {}, signal),
    `scan ${id}`,
    (scan) => (scan === undefined || isUnderWay(scan.status) ? POLL_PAUSE_MS : undefined),
  );
  const mayCancel = mayChange && data !== undefined && isUnderWay(data.status);
  return (
    <Page title={`Scan ${id}`} actions={mayCancel ? <CancelScan id={id} onCancelled={refresh} /> : undefined}>
      <LoadError error={error} isStale={data !== undefined} />
      {data !== undefined && (
        <>
          <ScanFacts scan={data} />
          <h2>Jobs</h2>
          <ScanJobs jobs={data.jobs} />
          <ScanResults scan={data} isUnderWay={isUnderWay(data.status)} />
        </>
      )}
    </Page>
  );
}

function ScanFacts({ scan }: { readonly scan: ScanView }) {
  return (
    <section class="panel" aria-label="Progress">
      <div class="progress-line">
        {/* Only the word is announced: figures that change every two seconds would never let a reader speak. */}
        <span role="status">
          <StatusBadge status={scan.status} />
        </span>
        <Coverage share={scan.coverage} of={`scan ${scan.id}`} />
        <span>
          {formatCount(scan.resultCount)} {scan.resultCount === 1 ? "result" : "results"}
        </span>
      </div>
      {scan.errorMessage !== null && (
        <p class="notice bad">
          <ForeignText text={scan.errorMessage} />
        </p>
      )}
      <dl>
        {scan.name !== "" && <Fact term="Name" text={scan.name} />}
        <Fact term="Targets" text={scan.targets.join(", ")} />
        <Fact term="Ports" text={scan.ports} />
        <Fact term="Probes" text={formatCount(scan.probes)} />
        <Fact term="Started" text={formatTime(scan.startedAt)} />
        <Fact term="Ended" text={formatTime(scan.endedAt)} />
        <Fact term="By" text={scan.createdBy} />
      </dl>
    </section>
  );
}

function Fact({ term, text }: { readonly term: string; readonly text: string }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>
        <ForeignText text={text} />
      </dd>
    </div>
  );
}

function CancelScan({ id, onCancelled }: { readonly id: number; readonly onCancelled: () => void }) {
  const api = useApi();
  const [isCancelling, setCancelling] = useState(false);
  const [error, setError] = useState<Error>();
  const cancel = async (): Promise<void> => {
    setCancelling(true);
    try {
      await api.post(`/api/scans/${id}/cancel`, scanViewSchema);
      onCancelled();
    } catch (thrown) {
      setCancelling(false);
      setError(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  };
  return (
    <>
      <span role="alert" class="error">
        {error?.message}
      </span>
      <button type="button" class="danger" disabled={isCancelling} onClick={() => void cancel()}>
        {isCancelling ? "Cancelling…" : "Cancel scan"}
      </button>
    </>
  );
}
