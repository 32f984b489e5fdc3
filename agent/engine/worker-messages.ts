/** The few messages between the main thread and a Worker. All that happens often goes through shared memory. */

import { errorMessage, PortolanError } from "#shared/errors.ts";

export type WorkerMessage =
  | { readonly type: "ready" }
  | {
      readonly type: "ended";
      /** The links that a sender used. */
      readonly links: readonly string[];
      /** What people should know although the scan went on: packets refused, a capture cut short. */
      readonly notes: readonly string[];
      /** Why it ended before its time, where what was found until then is as good as ever. */
      readonly failure?: string;
    }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

export function failureMessage(error: unknown): WorkerMessage {
  const code = error instanceof PortolanError ? error.code : "INTERNAL";
  return { type: "failed", code, message: errorMessage(error) };
}
