/** Whether this control plane can do its work. */

import type { z } from "zod";
import type { healthSchema } from "#shared/protocol/operator.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { Store } from "../store/store.ts";

export class Health {
  private readonly store: Store;

  constructor(store: Store) {
    this.store = store;
  }

  async report(): Promise<z.infer<typeof healthSchema>> {
    const reachable = await this.store.isReachable();
    return {
      status: reachable ? "ok" : "degraded",
      version: PORTOLAN_VERSION,
      database: { kind: this.store.dialect.kind, reachable },
    };
  }
}
