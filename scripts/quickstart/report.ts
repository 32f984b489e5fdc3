/** Puts what was found beside what is true. */

import type { ResultView } from "#shared/protocol/operator.ts";
import type { Truth } from "./site.ts";

export interface Comparison {
  readonly lines: readonly string[];
  readonly exact: boolean;
}

type State = ResultView["state"];
const STATES: readonly State[] = ["open", "closed", "filtered"];

/** A line a host, and whether every single port was told as it is. */
export function compare(truth: readonly Truth[], results: readonly ResultView[]): Comparison {
  let exact =
    results.length === truth.reduce((n, host) => n + STATES.reduce((m, s) => m + host[s].length, 0), 0);
  const lines = truth.map((host) => {
    const cells = STATES.map((state) => {
      const found = results
        .filter((result) => result.address === host.address && result.state === state)
        .map(({ port }) => port)
        .toSorted((a, b) => a - b);
      const right = found.join() === host[state].toSorted((a, b) => a - b).join();
      exact &&= right;
      const text = state === "open" ? found.join(",") || "none" : String(found.length);
      return `${state} ${text}${right ? "" : " (!)"}`.padEnd(state === "open" ? 18 : 11);
    });
    return `   ${host.address.padEnd(12)} ${host.what.padEnd(22)} ${cells.join("  ").trimEnd()}`;
  });
  return { lines, exact };
}
