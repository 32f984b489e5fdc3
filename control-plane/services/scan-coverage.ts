/** What a scan has looked at in full, from one vantage point: only there does it tell something by silence. */

import { jobOptionsSchema, type JobTarget } from "#shared/protocol/job.ts";
import { type PortKey, STATE_CODES, type StateCode } from "../store/endpoint-key.ts";
import { listCoveredTargets } from "../store/job-scopes.ts";
import type { ScanRow } from "../store/scans.ts";
import type { Session } from "../store/store.ts";
import { JobScope } from "./job-scope.ts";
import { targetsSchema } from "./job-scopes.ts";
import { readJson } from "./stored-json.ts";

export class ScanCoverage {
  private readonly scope: JobScope | undefined;
  private readonly reported: ReadonlySet<StateCode>;

  constructor(targets: readonly JobTarget[], reported: ReadonlySet<StateCode>) {
    this.scope = targets.length === 0 ? undefined : new JobScope(targets);
    this.reported = reported;
  }

  covers(port: PortKey): boolean {
    return this.scope?.holds(port) ?? false;
  }

  /** Whether a port of that state would have gone unreported. */
  isSilentAbout(state: StateCode): boolean {
    // Ports that are said to be reported in every state and were not have given no answer.
    if (this.reported.size === Object.keys(STATE_CODES).length) return state === STATE_CODES.filtered;
    return !this.reported.has(state);
  }
}

export async function loadCoverage(
  session: Session,
  scan: ScanRow,
  vantageId: number,
): Promise<ScanCoverage> {
  const { reportStates } = readJson(jobOptionsSchema, scan.options);
  const reported = new Set(reportStates.map((state) => STATE_CODES[state]));
  const portsOf = new Map<string, Set<string>>();
  for (const text of await listCoveredTargets(session, scan.id, vantageId)) {
    for (const { addresses, ports } of readJson(targetsSchema, text)) {
      const known = portsOf.get(ports) ?? new Set();
      portsOf.set(ports, known);
      for (const range of addresses) known.add(range);
    }
  }
  // Few parts of many addresses: a port is looked for in each.
  const targets = [...portsOf].map(([ports, addresses]) => ({ addresses: [...addresses], ports }));
  return new ScanCoverage(targets, reported);
}
