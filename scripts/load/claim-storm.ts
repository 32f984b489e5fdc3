/**
 * Many agents claim jobs from several replicas on one PostgreSQL, while replicas are killed and PostgreSQL crashes.
 * Afterwards the agents' ledger and the database have to agree that every job was done once, and nothing was lost.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sql } from "kysely";
import { insertJobs } from "../../control-plane/store/jobs.ts";
import { migrate } from "../../control-plane/store/migrate.ts";
import { MIGRATIONS } from "../../control-plane/store/migrations/all.ts";
import { insertScan } from "../../control-plane/store/scans.ts";
import { openStore, type Session, type Store } from "../../control-plane/store/store.ts";
import { PostgresServer } from "../../control-plane/store/testing/postgres.ts";
import { type FleetScanner, provisionFleet } from "./fleet.ts";
import { Random } from "./random.ts";
import { Replica } from "./replica.ts";
import { RESULTS_PER_JOB, Swarm } from "./swarm.ts";

const SCANS_PER_TRANSACTION = 500;
const LOOK_INTERVAL_MS = 250;
/** How long a replica is away, at most. */
const MAX_ABSENCE_MS = 3_000;

export interface Disaster {
  readonly kind: "kill-replica" | "crash-postgres";
  /** Comes when this many jobs are completed. */
  readonly afterJobs: number;
}

export interface StormOptions {
  readonly replicas: number;
  readonly agents: number;
  readonly jobs: number;
  /** How many scanners may do each job. */
  readonly candidates: number;
  readonly disasters: readonly Disaster[];
  readonly seed: number;
  readonly timeoutMs: number;
  /**
   * Leases of claims whose answer was lost with a replica run out at once, instead of two minutes later; those of agents
   * at work stand.
   */
  readonly expireLostLeases: boolean;
  readonly program?: string | undefined;
  readonly say: (line: string) => void;
}

export interface StormReport {
  /** What must not be; empty when all went well. */
  readonly violations: readonly string[];
  /** Jobs that were given out more than once, since the answer to a claim was lost. */
  readonly handedOutAgain: number;
  readonly retries: number;
  readonly seconds: number;
}

export async function claimStorm(options: StormOptions): Promise<StormReport> {
  const folder = mkdtempSync(join(tmpdir(), "portolan-storm-"));
  const postgres = await PostgresServer.start({ keepsCommits: true });
  const replicas: Replica[] = [];
  let store: Store | undefined;
  try {
    const databaseUrl = await postgres.createDatabase();
    store = openStore(databaseUrl);
    const fleet = await prepare(store, options);
    const starts = Array.from({ length: options.replicas }, (_, index) =>
      Replica.start({
        name: `replica ${index + 1}`,
        databaseUrl,
        folder: join(folder, String(index + 1)),
        program: options.program,
      }).then((replica) => replicas.push(replica)),
    );
    await Promise.all(starts);
    return await storm(store, postgres, replicas, fleet, options);
  } finally {
    await Promise.allSettled(replicas.map((replica) => replica.kill()));
    await store?.close();
    await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

/** Scans of one job each, and whoever may do them. */
async function prepare(
  store: Store,
  { agents, jobs, candidates, seed }: StormOptions,
): Promise<FleetScanner[]> {
  await migrate(store, MIGRATIONS);
  const fleet = await provisionFleet(store, agents);
  const random = new Random(seed);
  for (let done = 0; done < jobs; done += SCANS_PER_TRANSACTION) {
    const count = Math.min(SCANS_PER_TRANSACTION, jobs - done);
    await store.transaction((session) => insertScans(session, count, fleet, candidates, random));
  }
  return fleet;
}

async function insertScans(
  session: Session,
  count: number,
  fleet: readonly FleetScanner[],
  candidates: number,
  random: Random,
): Promise<void> {
  const target = { addresses: ["192.0.2.1"], ports: "1-100" };
  const options = { retries: 1, portTimeoutMs: 1_500, scanTimeoutSeconds: 3_600, reportStates: ["open"] };
  const jobs = [];
  for (let index = 0; index < count; index++) {
    const scan_id = await insertScan(session, {
      name: "",
      targets: JSON.stringify(target.addresses),
      ports: target.ports,
      engine: "syn",
      options: JSON.stringify(options),
      max_pps: 0,
      probes: 100,
      created_by: "load",
    });
    const scannerIds = new Set(Array.from({ length: candidates }, () => random.pick(fleet).id));
    jobs.push({
      scan_id,
      vantageKey: "subnet:1",
      scannerIds: [...scannerIds],
      targets: JSON.stringify([target]),
      probes: 100,
    });
  }
  await insertJobs(session, jobs);
}

async function storm(
  store: Store,
  postgres: PostgresServer,
  replicas: readonly Replica[],
  fleet: readonly FleetScanner[],
  options: StormOptions,
): Promise<StormReport> {
  const { say, jobs, timeoutMs } = options;
  const random = new Random(options.seed + 1);
  const swarm = new Swarm(
    replicas.map(({ url }) => url),
    random,
  );
  const { ledger } = swarm;
  const startMs = performance.now();
  const due = options.disasters.toSorted((a, b) => a.afterJobs - b.afterJobs);
  const happening: Promise<void>[] = [];
  swarm.start(fleet);
  while (ledger.completedCount < jobs) {
    const elapsedMs = performance.now() - startMs;
    if (elapsedMs > timeoutMs) {
      ledger.violations.push(
        `after ${timeoutMs / 1_000} s only ${ledger.completedCount} of ${jobs} jobs were done`,
      );
      break;
    }
    while ((due[0]?.afterJobs ?? Number.POSITIVE_INFINITY) <= ledger.completedCount) {
      const disaster = due.shift();
      if (disaster === undefined) break;
      say(`${(elapsedMs / 1_000).toFixed(1)} s: ${ledger.completedCount} done, ${disaster.kind}`);
      happening.push(strike(disaster, postgres, random.pick(replicas), random));
    }
    if (options.expireLostLeases) await expireLostLeases(store, ledger.heldLeases);
    await Bun.sleep(LOOK_INTERVAL_MS);
  }
  const seconds = (performance.now() - startMs) / 1_000;
  await Promise.all(happening);
  await swarm.stop();
  const { violations, handedOutAgain } = await audit(store, jobs);
  return {
    violations: [...ledger.violations, ...violations],
    handedOutAgain,
    retries: ledger.retries,
    seconds,
  };
}

/** Replicas that are away, so that none is killed twice. */
const away = new WeakSet<Replica>();

async function strike(
  { kind }: Disaster,
  postgres: PostgresServer,
  replica: Replica,
  random: Random,
): Promise<void> {
  if (kind === "crash-postgres") return postgres.crash();
  if (away.has(replica)) return;
  away.add(replica);
  await replica.kill();
  await Bun.sleep(random.between(0, MAX_ABSENCE_MS));
  // It cannot start while PostgreSQL is away; whoever runs it starts it again.
  for (let attempt = 1; ; attempt++) {
    try {
      await replica.restart();
      break;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
  away.delete(replica);
}

/** Nothing is done while the database is away. */
async function expireLostLeases(store: Store, held: readonly string[]): Promise<void> {
  const expire = store.run(({ db, dialect }) => {
    let lost = db
      .updateTable("jobs")
      .set({ lease_expires_at: dialect.nowMs() })
      .where("ended_at", "is", null)
      .where("status", "=", "assigned")
      // An answer that is on its way is not lost.
      .where(sql<boolean>`lease_expires_at < ${dialect.nowMs()} + 110000`);
    if (held.length > 0) lost = lost.where("lease_id", "not in", held);
    return lost.execute();
  });
  await expire.catch(() => {});
}

/** What the database says. */
async function audit(store: Store, jobs: number): Promise<{ violations: string[]; handedOutAgain: number }> {
  return store.run(async ({ db }) => {
    const { rows: statuses } = await sql<{ what: string; count: number }>`
      select 'jobs ' || status as what, count(*) as count from jobs group by status
      union all select 'scans ' || status, count(*) from scans group by status`.execute(db);
    const { rows: wrong } = await sql<{ id: number; counted: number; stored: number }>`
      select jobs.id, jobs.result_count as counted, count(results.scan_id) as stored
      from jobs left join results on results.scan_id = jobs.scan_id
      group by jobs.id, jobs.result_count
      having jobs.result_count <> ${RESULTS_PER_JOB} or count(results.scan_id) <> ${RESULTS_PER_JOB}
      limit 20`.execute(db);
    const { rows: again } = await sql<{ count: number }>`
      select count(*) as count from jobs where attempt > 1`.execute(db);
    const unexpected = statuses.filter(({ what, count }) => !what.endsWith(" completed") || count !== jobs);
    return {
      violations: [
        ...unexpected.map(({ what, count }) => `${count} ${what}, of ${jobs}`),
        ...wrong.map(
          ({ id, counted, stored }) => `job ${id} counts ${counted} results, ${stored} are stored`,
        ),
      ],
      handedOutAgain: again[0]?.count ?? 0,
    };
  });
}
