/** The few messages between the main thread and a Worker. All that happens often goes through shared memory. */

import { errorMessage, PortolanError } from "#shared/errors.ts";

export type WorkerMessage =
  | { readonly type: "ready" }
  | {
      readonly type: "ended";
      /** Address numbers that were found not to be there. */
      readonly unreachable: readonly number[];
      /** Why the kernel refused the last of the packets that it refused. */
      readonly lastRefusal: string;
    }
  | { readonly type: "failed"; readonly code: string; readonly message: string };

export function failureMessage(error: unknown): WorkerMessage {
  const code = error instanceof PortolanError ? error.code : "INTERNAL";
  return { type: "failed", code, message: errorMessage(error) };
}
