/**
 * The dead man's switch: while the control plane and its database work, a URL is called once a minute, by one replica.
 * Whoever watches that URL raises the alarm when the calls stop, which a control plane that is down could not.
 */

import { errorMessage } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import type { Store } from "../store/store.ts";
import { takeTurn } from "../store/turns.ts";
import type { Settings } from "./settings.ts";

const INTERVAL_MS = 60_000;
/** Chores come a little early or late: a turn a second before its time must not wait for the next. */
const SLACK_MS = 2_000;
const TIMEOUT_MS = 10_000;

export class DeadMan {
  private readonly store: Store;
  private readonly log: Log;
  private readonly settings: Settings;

  constructor(store: Store, log: Log, settings: Settings) {
    this.store = store;
    this.log = log;
    this.settings = settings;
  }

  /** @returns whether it was this replica's turn. A call that fails is logged: the next is in a minute. */
  async ping(signal: AbortSignal): Promise<boolean> {
    const { deadManUrl } = await this.settings.inForce();
    if (deadManUrl === null) return false;
    if (!(await this.store.run((session) => takeTurn(session, "dead-man", INTERVAL_MS - SLACK_MS))))
      return false;
    try {
      await call(deadManUrl, signal);
    } catch (error) {
      // Not the URL: what watches such calls often has its secret in the path.
      this.log.warning("dead-man.failed", `The dead man's URL could not be called: ${errorMessage(error)}`);
    }
    return true;
  }
}

async function call(url: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`it answered with ${response.status}`);
}
