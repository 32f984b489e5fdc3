/** The scopes of jobs that were asked for of late: reading one takes longer than storing the results of a batch. */

import { z } from "zod";
import { jobTargetSchema } from "#shared/protocol/job.ts";
import { findScope } from "../store/job-scopes.ts";
import type { Session } from "../store/store.ts";
import { JobScope } from "./job-scope.ts";
import { readJson } from "./stored-json.ts";

/** Text of all scopes that are remembered; what is made of it takes about as much. */
const MAX_REMEMBERED_LENGTH = 32 * 1_048_576;
/** What even a short scope takes. */
const LENGTH_OF_ANY = 1_024;

export const targetsSchema = z.array(jobTargetSchema);

export interface KnownScope {
  readonly scope: JobScope;
  /** When the scan was made. */
  readonly at: number;
  readonly vantageId: number;
}

export class JobScopes {
  /** The one that was asked for last is last. */
  private readonly known = new Map<number, { readonly scope: KnownScope; readonly length: number }>();
  private length = 0;

  async of(session: Session, jobId: number): Promise<KnownScope> {
    const known = this.known.get(jobId);
    if (known !== undefined) {
      this.known.delete(jobId);
      this.known.set(jobId, known);
      return known.scope;
    }
    const { targets, scan_created_at: at, vantage_id: vantageId } = await findScope(session, jobId);
    if (vantageId === null) throw new Error(`job ${jobId} has no vantage point`);
    const scope = { scope: new JobScope(readJson(targetsSchema, targets)), at, vantageId };
    this.remember(jobId, scope, targets.length + LENGTH_OF_ANY);
    return scope;
  }

  private remember(jobId: number, scope: KnownScope, length: number): void {
    this.known.set(jobId, { scope, length });
    this.length += length;
    for (const [oldest, { length: freed }] of this.known) {
      if (this.length <= MAX_REMEMBERED_LENGTH || oldest === jobId) break;
      this.known.delete(oldest);
      this.length -= freed;
    }
  }
}
