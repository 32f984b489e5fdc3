/** Starts a scan, and goes to its page. */

import { portStateSchema } from "#shared/protocol/fields.ts";
import { MAX_RATE_PPS } from "#shared/protocol/limits.ts";
import { scannerListSchema, type ScannerView, scanViewSchema } from "#shared/protocol/operator.ts";
import { useApi } from "./api.ts";
import { StatusBadge } from "./badge.tsx";
import { Choice, Field } from "./field.tsx";
import { LoadError } from "./load-error.tsx";
import { Page } from "./page.tsx";
import { SCANNERS_HREF, SCANS_HREF, scanHref } from "./route.ts";
import { usePolled } from "./use-polled.ts";
import { textOf, useSubmit } from "./use-submit.ts";

const POLL_PAUSE_MS = 5_000;
const FIELDS = ["name", "scannerIds", "targets", "exclude", "ports", "maxProbesPerSecond", "reportStates"];

export function StartScanPage() {
  const api = useApi();
  const { data, error } = usePolled(
    (signal) => api.get("/api/scanners", scannerListSchema, {}, signal),
    "scanners",
    () => POLL_PAUSE_MS,
  );
  return (
    <Page title="Start scan">
      <LoadError error={error} isStale={data !== undefined} />
      {data === undefined ? null : data.scanners.length === 0 ? (
        <div class="empty">
          <p>There is no scanner to scan from.</p>
          <p>
            <a href={SCANNERS_HREF}>Add one first.</a>
          </p>
        </div>
      ) : (
        <ScanForm scanners={data.scanners} />
      )}
    </Page>
  );
}

function ScanForm({ scanners }: { readonly scanners: readonly ScannerView[] }) {
  const api = useApi();
  const { errors, isSending, onSubmit } = useSubmit(FIELDS, async (form) => {
    const scan = await api.post("/api/scans", scanViewSchema, readForm(form));
    location.hash = scanHref(scan.id);
  });
  return (
    <form class="panel" onSubmit={onSubmit}>
      <Choice
        id="scannerIds"
        legend="Scanners"
        hint="Each scans all of it, as a vantage point of its own. An offline one begins when it returns."
        error={errors["scannerIds"]}
      >
        {scanners.map(({ id, name, status }) => (
          <label key={id} class="option">
            <input type="checkbox" name="scannerIds" value={id} defaultChecked={scanners.length === 1} />{" "}
            {name} <StatusBadge status={status} />
          </label>
        ))}
      </Choice>
      <Field
        id="targets"
        label="Targets"
        hint="Addresses, networks or ranges, such as 10.0.0.0/24 or 10.0.0.1-9; one a line, or with commas."
        error={errors["targets"]}
      >
        {(attributes) => <textarea {...attributes} rows={3} required spellcheck={false} />}
      </Field>
      <Field
        id="exclude"
        label="Except"
        hint="Written in the same way. Never probed."
        error={errors["exclude"]}
      >
        {(attributes) => <textarea {...attributes} rows={1} spellcheck={false} />}
      </Field>
      <div class="columns">
        <Field id="ports" label="Ports" hint="Such as 22,80-443,!81." error={errors["ports"]}>
          {(attributes) => <input {...attributes} required defaultValue="1-1024" spellcheck={false} />}
        </Field>
        <Field
          id="maxProbesPerSecond"
          label="Rate, probes per second"
          hint="0 is as fast as each scanner may."
          error={errors["maxProbesPerSecond"]}
        >
          {(attributes) => (
            <input {...attributes} type="number" min={0} max={MAX_RATE_PPS} defaultValue="1000" />
          )}
        </Field>
        <Field id="name" label="Name" hint="If you want one." error={errors["name"]}>
          {(attributes) => <input {...attributes} autocomplete="off" />}
        </Field>
      </div>
      <Choice id="reportStates" legend="Report ports that are" error={errors["reportStates"]}>
        {portStateSchema.options.map((state) => (
          <label key={state} class="option">
            <input type="checkbox" name="reportStates" value={state} defaultChecked={state === "open"} />{" "}
            {state}
          </label>
        ))}
      </Choice>
      <p class="error" role="alert">
        {errors["form"]}
      </p>
      <div class="actions">
        <button type="submit" class="primary" disabled={isSending}>
          Start scan
        </button>
        <a class="button" href={SCANS_HREF}>
          Cancel
        </a>
      </div>
    </form>
  );
}

/** As the form has it; whether it makes sense is for the server to say. */
function readForm(form: FormData): object {
  return {
    name: textOf(form, "name"),
    scannerIds: form.getAll("scannerIds").map(Number),
    targets: words(textOf(form, "targets")),
    exclude: words(textOf(form, "exclude")),
    ports: textOf(form, "ports"),
    maxProbesPerSecond: Number(textOf(form, "maxProbesPerSecond")),
    reportStates: form.getAll("reportStates"),
  };
}

function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}
