/** Long work in short steps, so that whoever waits for the database meanwhile gets it. */

import type { Clock } from "#shared/clock.ts";

export interface Steps {
  readonly clock: Clock;
  /** At most so many; the rest is for the next turn. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** @param step false when there was nothing to do. @returns steps that did something */
export async function inSteps(
  { clock, limit, signal }: Steps,
  step: () => Promise<boolean>,
): Promise<number> {
  for (let steps = 0; steps < limit; steps++) {
    if (signal?.aborted === true || !(await step())) return steps;
    await clock.sleep(0);
  }
  return limit;
}
