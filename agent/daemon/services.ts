/** What every part of the daemon works with. */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import type { ControlPlaneClient } from "../client/control-plane.ts";

export interface DaemonServices {
  readonly client: ControlPlaneClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts when the daemon is to stop. */
  readonly signal: AbortSignal;
  /** Keeps a new key for the next start; absent where the key comes from the environment. */
  readonly keepKey?: ((apiKey: string) => Promise<void>) | undefined;
}
