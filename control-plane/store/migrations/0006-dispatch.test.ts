import { describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { claimJobs } from "../leases.ts";
import { migrate } from "../migrate.ts";
import { openStore } from "../store.ts";
import { DATABASES } from "../testing/stores.ts";
import { MIGRATIONS } from "./all.ts";

/** Whatever was there before, on a schema that knew no rates of jobs. */
const BEFORE = [
  `insert into scanners (name, description, rate_limit, binding_mode, created_by, created_at)
    values ('s1', '', 0, 'none', 'test', 1)`,
  `insert into scans (name, status, targets, ports, engine, options, max_pps, probes, created_by, created_at)
    values ('', 'planned', '[]', '80', 'syn', '{"scanTimeoutSeconds":77}', 500, 1, 'test', 1)`,
  `insert into vantages (key) values ('scanner:1')`,
  `insert into jobs (scan_id, scanner_id, vantage_id, status, targets, probes, created_at)
    values (1, 1, 1, 'pending', '[]', 1, 5)`,
  `insert into jobs (scan_id, scanner_id, vantage_id, status, targets, probes, created_at, ended_at)
    values (1, 1, 1, 'completed', '[]', 1, 5, 6)`,
  `insert into job_scanners (job_id, scanner_id) values (1, 1), (2, 1)`,
];

describe.each(Object.entries(DATABASES))("jobs from before, on %s,", (_, createDatabase) => {
  test("keep their rate and time-out, and can be claimed; those that ended leave the queue", async () => {
    const store = openStore(await createDatabase());
    await migrate(store, MIGRATIONS.slice(0, 5));
    for (const statement of BEFORE) await store.run(({ db }) => sql.raw(statement).execute(db));
    await migrate(store, MIGRATIONS);
    const queue = await store.run(({ db }) => db.selectFrom("job_scanners").selectAll().execute());
    expect(queue).toEqual([{ job_id: 1, scanner_id: 1, priority: 0 }]);
    const claimed = await store.transaction((session) => claimJobs(session, 1, 8, () => crypto.randomUUID()));
    expect(claimed).toMatchObject([
      { id: 1, rate_pps: 500, rate_key: "scan:1", timeout_seconds: 77, pending_since: 5, jobs_in_scope: 1 },
    ]);
    await store.close();
  });
});
