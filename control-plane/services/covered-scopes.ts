/** What a vantage point has looked at before: a port that is open there now, and was not then, is a change. */

import { createHash } from "node:crypto";
import type { PortKey } from "../store/endpoint-key.ts";
import { findCoveredTargets, listCoveredScopes, noteCoveredScope } from "../store/covered-scopes.ts";
import type { Session } from "../store/store.ts";
import { type AddressSpan, JobScope } from "./job-scope.ts";
import { targetsSchema } from "./job-scopes.ts";
import { readJson } from "./stored-json.ts";

/** Scopes of one vantage point that meet one job: more would mean that its networks are cut anew all the time. */
const MAX_SCOPES_LOOKED_AT = 500;
const MAX_REMEMBERED = 500;

export class CoveredScopes {
  /** By digest: a scope is what its digest says. */
  private readonly known = new Map<string, JobScope>();

  /** Says of a port whether it was covered. */
  async lookUp(session: Session, vantageId: number, span: AddressSpan): Promise<(port: PortKey) => boolean> {
    const digests = await listCoveredScopes(session, vantageId, span, MAX_SCOPES_LOOKED_AT);
    const scopes: JobScope[] = [];
    for (const digest of digests) {
      const scope = this.known.get(digest) ?? (await this.load(session, vantageId, digest));
      if (scope !== undefined) scopes.push(scope);
    }
    return (port) => scopes.some((scope) => scope.holds(port));
  }

  /** The job's scope has been looked at in full. @param targets JSON of its `JobTarget[]` */
  async note(
    session: Session,
    vantageId: number,
    targets: string,
    { first, last }: AddressSpan,
  ): Promise<void> {
    const digest = createHash("sha256").update(targets).digest("hex");
    await noteCoveredScope(session, {
      vantage_id: vantageId,
      digest,
      first_address: first,
      last_address: last,
      targets,
    });
  }

  private async load(session: Session, vantageId: number, digest: string): Promise<JobScope | undefined> {
    const targets = await findCoveredTargets(session, vantageId, digest);
    if (targets === undefined) return undefined;
    const scope = new JobScope(readJson(targetsSchema, targets));
    if (this.known.size >= MAX_REMEMBERED) this.known.clear();
    this.known.set(digest, scope);
    return scope;
  }
}
