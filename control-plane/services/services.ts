/** Puts the services together on one store. */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { AUTH_ATTEMPTS_PER_MINUTE } from "#shared/protocol/limits.ts";
import { listScannersWithWork } from "../store/leases.ts";
import type { Store } from "../store/store.ts";
import { AttemptLimiter } from "./attempt-limiter.ts";
import { Audit } from "./audit.ts";
import { Dispatch } from "./dispatch.ts";
import { Health } from "./health.ts";
import { Heartbeats } from "./heartbeats.ts";
import { JobBell } from "./job-bell.ts";
import { JobCalls } from "./job-calls.ts";
import { JobCompletion } from "./job-completion.ts";
import { LegacyResults } from "./legacy-results.ts";
import { Operators } from "./operators.ts";
import { Provisioning } from "./provisioning.ts";
import { ScannerAccess } from "./scanner-access.ts";
import { Scanners } from "./scanners.ts";
import { Scans } from "./scans.ts";
import { Sessions } from "./sessions.ts";
import { Sweeper } from "./sweeper.ts";

export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Services {
  readonly access: ScannerAccess;
  readonly audit: Audit;
  readonly bell: JobBell;
  readonly dispatch: Dispatch;
  readonly health: Health;
  readonly heartbeats: Heartbeats;
  readonly jobCalls: JobCalls;
  readonly jobCompletion: JobCompletion;
  readonly legacyResults: LegacyResults;
  readonly operators: Operators;
  readonly provisioning: Provisioning;
  readonly scanners: Scanners;
  readonly scans: Scans;
  readonly sessions: Sessions;
  readonly sweeper: Sweeper;
}

export function createServices({ store, clock, log }: ServiceDeps): Services {
  const limiter = new AttemptLimiter(clock, AUTH_ATTEMPTS_PER_MINUTE);
  const operators = new Operators(store, limiter);
  const bell = new JobBell(clock, () => store.run(listScannersWithWork));
  return {
    access: new ScannerAccess(store, log, limiter),
    audit: new Audit(store),
    bell,
    dispatch: new Dispatch(store, clock, log, bell),
    health: new Health(store),
    heartbeats: new Heartbeats(store, log),
    jobCalls: new JobCalls(store, log),
    jobCompletion: new JobCompletion(store, log),
    legacyResults: new LegacyResults(store),
    operators,
    provisioning: new Provisioning(store, log, limiter),
    scanners: new Scanners(store, log),
    scans: new Scans(store, log, bell),
    sessions: new Sessions(store, operators, limiter),
    sweeper: new Sweeper(store, log),
  };
}
