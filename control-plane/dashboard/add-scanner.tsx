/** Adds a scanner, then shows the line to run on its host: the only time that it can be shown. */

import { useEffect, useRef, useState } from "preact/hooks";
import { type ScannerCreateResponse, scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import { MAX_DESCRIPTION_LENGTH, MAX_NAME_LENGTH, MAX_RATE_PPS } from "#shared/protocol/limits.ts";
import { useApi } from "./api.ts";
import { CopyButton } from "./copy-button.tsx";
import { CloseDialog, Dialog } from "./dialog.tsx";
import { Field } from "./field.tsx";
import { formatTime } from "./format.ts";
import { textOf, useSubmit } from "./use-submit.ts";

const FIELDS = ["name", "description", "rateLimit", "bindingMode"];

export function AddScanner({ onClose }: { readonly onClose: () => void }) {
  const [created, setCreated] = useState<ScannerCreateResponse>();
  const title = created === undefined ? "Add scanner" : `Install ${created.scanner.name}`;
  return (
    <Dialog title={title} onClose={onClose}>
      {created === undefined ? <ScannerForm onCreated={setCreated} /> : <InstallLine created={created} />}
    </Dialog>
  );
}

interface ScannerFormProps {
  readonly onCreated: (created: ScannerCreateResponse) => void;
}

function ScannerForm({ onCreated }: ScannerFormProps) {
  const api = useApi();
  const { errors, isSending, onSubmit } = useSubmit(FIELDS, async (form) => {
    const request = {
      name: textOf(form, "name"),
      description: textOf(form, "description"),
      rateLimit: Number(textOf(form, "rateLimit")),
      bindingMode: textOf(form, "bindingMode"),
    };
    onCreated(await api.post("/api/config/scanners", scannerCreateResponseSchema, request));
  });
  return (
    <form onSubmit={onSubmit}>
      <p class="error" role="alert">
        {errors["form"]}
      </p>
      <Field id="name" label="Name" hint="Letters, digits and hyphens." error={errors["name"]}>
        {(attributes) => (
          <input {...attributes} required maxLength={MAX_NAME_LENGTH} autocomplete="off" spellcheck={false} />
        )}
      </Field>
      <Field id="description" label="Description" error={errors["description"]}>
        {(attributes) => <textarea {...attributes} rows={2} maxLength={MAX_DESCRIPTION_LENGTH} />}
      </Field>
      <Field
        id="rateLimit"
        label="Rate limit, probes per second"
        hint="For all its jobs together; 0 is no limit."
        error={errors["rateLimit"]}
      >
        {(attributes) => <input {...attributes} type="number" min={0} max={MAX_RATE_PPS} defaultValue="0" />}
      </Field>
      <Field
        id="bindingMode"
        label="Binding"
        hint="From where it may call; fixed to the address of its first contact."
        error={errors["bindingMode"]}
      >
        {(attributes) => (
          <select {...attributes}>
            <option value="none">none: from anywhere</option>
            <option value="ip">ip: from that address</option>
            <option value="subnet">subnet: from its /24 or /64</option>
          </select>
        )}
      </Field>
      <div class="actions">
        <button type="submit" class="primary" disabled={isSending}>
          Add scanner
        </button>
        <CloseDialog>Cancel</CloseDialog>
      </div>
    </form>
  );
}

function InstallLine({ created }: { readonly created: ScannerCreateResponse }) {
  const line = useRef<HTMLPreElement>(null);
  // The form, and the focus with it, has gone.
  useEffect(() => line.current?.focus(), []);
  const { installCommand, expiresAt } = created.provisioning;
  return (
    <>
      <p>
        Run this line on the host that is to scan. It serves one host, until {formatTime(expiresAt)}, and
        cannot be shown again.
      </p>
      <pre ref={line} class="command" tabIndex={0}>
        {installCommand}
      </pre>
      <div class="actions">
        <CopyButton source={line} />
        <CloseDialog isPrimary>Done</CloseDialog>
      </div>
    </>
  );
}
