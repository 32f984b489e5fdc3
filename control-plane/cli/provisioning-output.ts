/** How the commands that make a one-time token show it: the line to run goes to stdout, alone; the rest to stderr. */

import type { ScannerCreateResponse } from "#shared/protocol/operator.ts";
import type { CliContext } from "./context.ts";

/** @param done what was done, a sentence */
export function showProvisioning(
  context: CliContext,
  answer: ScannerCreateResponse,
  { done, json }: { readonly done: string; readonly json: boolean },
): void {
  if (json) {
    context.print(JSON.stringify(answer, null, 2));
    return;
  }
  context.say(`${done} Run this on its host, once, before ${answer.provisioning.expiresAt}:`);
  context.print(answer.provisioning.installCommand);
}
