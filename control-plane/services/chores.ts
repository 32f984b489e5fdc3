/**
 * What a server does by itself, again and again, beside answering. Each chore has its own beat, and one that fails or
 * takes long keeps no other from its turn.
 */

import type { Clock } from "#shared/clock.ts";
import { errorMessage } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { Services } from "./services.ts";

export interface Chore {
  /** What a failure is told as: `sweep` → `sweep.failed`. */
  readonly name: string;
  /** From the end of one turn to the beginning of the next. */
  readonly intervalMs: number;
  readonly run: (signal: AbortSignal) => Promise<unknown>;
}

/** A line each. Any number of replicas do them at the same time: what must happen once, sees to that itself. */
export function choresOf({
  scheduleRunner,
  deadMan,
  retentionRules,
  scannerWatch,
  stateChanges,
  statsMaintenance,
  sweeper,
}: Services): Chore[] {
  return [
    { name: "schedules", intervalMs: 2_000, run: () => scheduleRunner.turn() },
    { name: "changes", intervalMs: 1_000, run: (signal) => stateChanges.catchUp(signal) },
    { name: "sweep", intervalMs: 5_000, run: () => sweeper.sweep() },
    { name: "scanner-watch", intervalMs: 5_000, run: () => scannerWatch.look() },
    { name: "dead-man", intervalMs: 5_000, run: (signal) => deadMan.ping(signal) },
    { name: "retention", intervalMs: 60_000, run: (signal) => retentionRules.purge(signal) },
    { name: "stats", intervalMs: 60_000, run: (signal) => statsMaintenance.maintain(signal) },
  ];
}

/** Returns when the signal aborts and the turns under way have ended. */
export async function doChores(
  chores: readonly Chore[],
  signal: AbortSignal,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<void> {
  await Promise.all(chores.map((chore) => repeat(chore, signal, clock, log)));
}

async function repeat(chore: Chore, signal: AbortSignal, clock: Clock, log: Log): Promise<void> {
  for (;;) {
    await clock.sleep(chore.intervalMs, signal);
    if (signal.aborted) return;
    try {
      await chore.run(signal);
    } catch (error) {
      log.error(
        `${chore.name}.failed`,
        `The next turn of '${chore.name}' will try again: ${errorMessage(error)}`,
      );
    }
  }
}
