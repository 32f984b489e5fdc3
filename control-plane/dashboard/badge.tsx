/** A word of state, with a colour that repeats what the word says. */

import type { JobStatus } from "#shared/protocol/job.ts";
import type { ScannerStatus, ScanStatus } from "#shared/protocol/operator.ts";

type Tone = "good" | "bad" | "busy" | "idle";

const TONES: Readonly<Record<ScannerStatus | ScanStatus | JobStatus, Tone>> = {
  active: "good",
  offline: "bad",
  disabled: "idle",
  unapproved: "busy",
  pending: "idle",
  planned: "idle",
  assigned: "busy",
  running: "busy",
  completed: "good",
  failed: "bad",
  cancelled: "idle",
};

export function StatusBadge({ status }: { readonly status: keyof typeof TONES }) {
  return <span class={`badge ${TONES[status]}`}>{status}</span>;
}

export function Badge({ tone, text }: { readonly tone: Tone; readonly text: string }) {
  return <span class={`badge ${tone}`}>{text}</span>;
}
