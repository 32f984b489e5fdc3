/**
 * Replicas, agents and jobs, with disasters: replicas are killed and started again, PostgreSQL crashes. Exit code 1 when
 * a job was lost or done twice. All of it runs on a PostgreSQL of its own.
 *
 *   --replicas=N --agents=N --jobs=N   default 8, 500, 20000
 *   --kills=N --crashes=N              default 20 kills of replicas, 4 crashes of PostgreSQL
 *   --seed=N                           when what happens (default 1)
 *   --timeout=SECONDS                  give up after (default 1200)
 *   --program=FILE                     a compiled portolan-control (default: from source)
 */

import { parseArgs } from "node:util";
import { errorMessage } from "#shared/errors.ts";
import { claimStorm, type Disaster } from "./claim-storm.ts";
import { hasManyRequests } from "./many-requests.ts";
import { Random } from "./random.ts";

const CANDIDATES = 8;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      replicas: { type: "string", default: "8" },
      agents: { type: "string", default: "500" },
      jobs: { type: "string", default: "20000" },
      kills: { type: "string", default: "20" },
      crashes: { type: "string", default: "4" },
      seed: { type: "string", default: "1" },
      timeout: { type: "string", default: "1200" },
      program: { type: "string" },
    },
  });
  const jobs = wholeNumber("jobs", values.jobs, 1, 100_000);
  const seed = wholeNumber("seed", values.seed, 0, 2 ** 31);
  const report = await claimStorm({
    replicas: wholeNumber("replicas", values.replicas, 1, 32),
    agents: wholeNumber("agents", values.agents, 1, 5_000),
    jobs,
    candidates: CANDIDATES,
    disasters: plan(
      wholeNumber("kills", values.kills, 0, 1_000),
      wholeNumber("crashes", values.crashes, 0, 1_000),
      jobs,
      new Random(seed),
    ),
    seed,
    timeoutMs: wholeNumber("timeout", values.timeout, 1, 86_400) * 1_000,
    expireLostLeases: false,
    program: values.program,
    say: (line) => void process.stderr.write(`${line}\n`),
  });
  const { violations, handedOutAgain, retries, seconds } = report;
  const rate = (jobs / seconds).toFixed(0);
  process.stdout.write(
    `${jobs} jobs in ${seconds.toFixed(0)} s, ${rate}/s; ${retries} calls had to be repeated, ${handedOutAgain} jobs handed out again after a lost answer\n`,
  );
  for (const violation of violations.slice(0, 50)) process.stdout.write(`VIOLATION ${violation}\n`);
  process.stdout.write(
    violations.length === 0
      ? "ok: every job was done once, nothing was lost\n"
      : `FAILED: ${violations.length} violations\n`,
  );
  if (violations.length > 0) process.exitCode = 1;
}

/** All of them before the last tenth of the jobs, so that what comes after is seen. */
function plan(kills: number, crashes: number, jobs: number, random: Random): Disaster[] {
  const at = (): number => random.between(1, Math.floor(jobs * 0.9));
  return [
    ...Array.from({ length: kills }, () => ({ kind: "kill-replica", afterJobs: at() }) as const),
    ...Array.from({ length: crashes }, () => ({ kind: "crash-postgres", afterJobs: at() }) as const),
  ];
}

function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new Error(`--${name}: '${text}' is no whole number from ${min} to ${max}`);
}

try {
  if (await hasManyRequests()) await main();
} catch (error) {
  process.stderr.write(`claims: ${errorMessage(error)}\n`);
  process.exitCode = 1;
}
