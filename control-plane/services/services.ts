/** Puts the services together on one store. */

import type { Clock } from "#shared/clock.ts";
import type { Log } from "#shared/log.ts";
import { AUTH_ATTEMPTS_PER_MINUTE } from "#shared/protocol/limits.ts";
import type { Store } from "../store/store.ts";
import { AccessTokens } from "./access-tokens.ts";
import type { AsnDatabase } from "./asn-database.ts";
import { AttemptLimiter } from "./attempt-limiter.ts";
import { Audit } from "./audit.ts";
import { ChangeList } from "./change-list.ts";
import { DeadMan } from "./dead-man.ts";
import { DiscoveryLists } from "./discovery-lists.ts";
import { DiscoveryPush } from "./discovery-push.ts";
import { Dispatch } from "./dispatch.ts";
import { EnrolmentTokens } from "./enrolment-tokens.ts";
import { ExpectedResults } from "./expected-results.ts";
import { Health } from "./health.ts";
import { Heartbeats } from "./heartbeats.ts";
import { JobBell } from "./job-bell.ts";
import { JobCalls } from "./job-calls.ts";
import { JobCompletion } from "./job-completion.ts";
import { JobRepairs } from "./job-repairs.ts";
import { LegacyResults } from "./legacy-results.ts";
import { LogStreams } from "./log-streams.ts";
import { Networks } from "./networks.ts";
import { Operators } from "./operators.ts";
import { PortLists } from "./port-lists.ts";
import { Provisioning } from "./provisioning.ts";
import { ScanTemplates } from "./scan-templates.ts";
import { Results } from "./results.ts";
import { RetentionRules } from "./retention.ts";
import { ScannerAccess } from "./scanner-access.ts";
import { ScannerAcls } from "./scanner-acl.ts";
import { ScannerCredentials } from "./scanner-credentials.ts";
import { ScannerGroups } from "./scanner-groups.ts";
import { ScannerKeys } from "./scanner-keys.ts";
import { ScannerList } from "./scanner-list.ts";
import { ScannerSeries } from "./scanner-series.ts";
import { ScannerWatch } from "./scanner-watch.ts";
import { Scanners } from "./scanners.ts";
import { Scans } from "./scans.ts";
import { ScheduleRunner } from "./schedule-runner.ts";
import { Schedules } from "./schedules.ts";
import { Sessions } from "./sessions.ts";
import { type SettingDefaults, Settings } from "./settings.ts";
import { StatsMaintenance } from "./stats-maintenance.ts";
import { Subnets } from "./subnets.ts";
import { ScanDiff } from "./scan-diff.ts";
import { ScanExport } from "./scan-export.ts";
import { StateChanges } from "./state-changes.ts";
import { Sweeper } from "./sweeper.ts";
import { Verdicts } from "./verdicts.ts";

export interface ServiceDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Without one, scanners cannot be bound to autonomous systems. */
  readonly asnDatabase?: AsnDatabase | undefined;
  readonly settingDefaults?: SettingDefaults;
}

export interface Services {
  readonly access: ScannerAccess;
  readonly audit: Audit;
  readonly bell: JobBell;
  readonly changeList: ChangeList;
  readonly deadMan: DeadMan;
  readonly discoveryLists: DiscoveryLists;
  readonly discoveryPush: DiscoveryPush;
  readonly dispatch: Dispatch;
  readonly enrolmentTokens: EnrolmentTokens;
  readonly expectedResults: ExpectedResults;
  readonly health: Health;
  readonly heartbeats: Heartbeats;
  readonly jobCalls: JobCalls;
  readonly jobCompletion: JobCompletion;
  readonly jobRepairs: JobRepairs;
  readonly legacyResults: LegacyResults;
  readonly logStreams: LogStreams;
  readonly networks: Networks;
  readonly operators: Operators;
  readonly portLists: PortLists;
  readonly provisioning: Provisioning;
  readonly scanTemplates: ScanTemplates;
  readonly results: Results;
  readonly retentionRules: RetentionRules;
  readonly scanDiff: ScanDiff;
  readonly scanExport: ScanExport;
  readonly scannerAcls: ScannerAcls;
  readonly scannerGroups: ScannerGroups;
  readonly scannerKeys: ScannerKeys;
  readonly scannerList: ScannerList;
  readonly scannerSeries: ScannerSeries;
  readonly scannerWatch: ScannerWatch;
  readonly scanners: Scanners;
  readonly scans: Scans;
  readonly scheduleRunner: ScheduleRunner;
  readonly schedules: Schedules;
  readonly sessions: Sessions;
  readonly settings: Settings;
  readonly statsMaintenance: StatsMaintenance;
  readonly subnets: Subnets;
  readonly stateChanges: StateChanges;
  readonly sweeper: Sweeper;
  readonly verdicts: Verdicts;
}

export function createServices({
  store,
  clock,
  log,
  asnDatabase,
  settingDefaults = {},
}: ServiceDeps): Services {
  const limiter = new AttemptLimiter(clock, AUTH_ATTEMPTS_PER_MINUTE);
  const operators = new Operators(store, limiter);
  const settings = new Settings(store, clock, log, settingDefaults);
  const accessTokens = new AccessTokens(store);
  const credentials = new ScannerCredentials(store, log, accessTokens, limiter);
  const access = new ScannerAccess(store, log, credentials, asnDatabase);
  const authLimiter = new AttemptLimiter(clock, AUTH_ATTEMPTS_PER_MINUTE);
  const scannerWatch = new ScannerWatch(store, log);
  const canLookUpAsn = asnDatabase !== undefined;
  const bell = new JobBell(store, clock);
  const retentionRules = new RetentionRules(store, clock, log);
  return {
    access,
    audit: new Audit(store),
    bell,
    changeList: new ChangeList(store, clock),
    deadMan: new DeadMan(store, log, settings),
    discoveryLists: new DiscoveryLists(store, log),
    discoveryPush: new DiscoveryPush(store, log),
    dispatch: new Dispatch(store, clock, log, bell),
    enrolmentTokens: new EnrolmentTokens(store, log, canLookUpAsn),
    expectedResults: new ExpectedResults(store, log),
    health: new Health(store),
    heartbeats: new Heartbeats(store, log, scannerWatch, settings),
    jobCalls: new JobCalls(store, log),
    jobCompletion: new JobCompletion(store, log),
    jobRepairs: new JobRepairs(store, log),
    legacyResults: new LegacyResults(store),
    logStreams: new LogStreams(store, clock),
    networks: new Networks(store, log),
    operators,
    portLists: new PortLists(store, log),
    provisioning: new Provisioning(store, log, limiter),
    results: new Results(store, clock),
    retentionRules,
    scanDiff: new ScanDiff(store, clock),
    scanExport: new ScanExport(store),
    scannerAcls: new ScannerAcls(store),
    scanTemplates: new ScanTemplates(store, log),
    scannerGroups: new ScannerGroups(store, log),
    scannerKeys: new ScannerKeys(store, log, access, accessTokens, authLimiter),
    scannerList: new ScannerList(store),
    scannerSeries: new ScannerSeries(store),
    scannerWatch,
    scanners: new Scanners(store, log, canLookUpAsn),
    scans: new Scans(store, log),
    scheduleRunner: new ScheduleRunner(store, log),
    schedules: new Schedules(store, log),
    sessions: new Sessions(store, operators, limiter),
    settings,
    statsMaintenance: new StatsMaintenance(store, clock, log, () => retentionRules.ofMetrics()),
    subnets: new Subnets(store, log),
    stateChanges: new StateChanges(store, clock, log),
    sweeper: new Sweeper(store, log),
    verdicts: new Verdicts(store),
  };
}
