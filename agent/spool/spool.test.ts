/** Results on disk: in order, whole or set aside, and there again after a restart. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import type { JobCompleteRequest, PortResult } from "#shared/protocol/job.ts";
import { MAX_RESULTS_PER_BATCH } from "#shared/protocol/limits.ts";
import { type JobSpool, Spool } from "./spool.ts";

const LEASE = "5f0c1d2e-3a4b-4c5d-8e6f-708192a3b4c5";
const OTHER_LEASE = "00000000-0000-4000-8000-000000000001";
const COMPLETION: Omit<JobCompleteRequest, "leaseId"> = { status: "completed", resultCount: 2 };

let stateDir = "";

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "portolan-spool-"));
});

afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

function result(port: number): PortResult {
  return {
    address: "127.0.0.1",
    port,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    observedAt: "2026-01-27T10:30:00.000Z",
  };
}

/** Every item in turn, acknowledged, with the ports of a batch to tell it by. */
function deliverAll(job: JobSpool): (readonly number[] | string)[] {
  const delivered: (readonly number[] | string)[] = [];
  for (let item = job.next(); item !== undefined; item = job.next()) {
    delivered.push(item.kind === "batch" ? item.results.map(({ port }) => port) : item.completion.status);
    job.acknowledge(item);
    if (item.kind === "completion") break;
  }
  return delivered;
}

function jobFolder(jobId = 7, lease = LEASE): string {
  return join(stateDir, "spool", `job-${jobId}-${lease}`);
}

function setAside(): string[] {
  return readdirSync(join(stateDir, "spool", "set-aside")).toSorted();
}

describe("a job's results", () => {
  test("come out in the order they went in, then the completion", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1), result(2)]);
    await job.append([result(3)]);
    await job.finish(COMPLETION);
    await job.append([result(4)]);
    expect(deliverAll(job)).toEqual([[1, 2], [3], [4], "completed"]);
  });

  test("keep their order past ten batches", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    for (let port = 1; port <= 12; port++) await job.append([result(port)]);
    expect(deliverAll(job)).toEqual(Array.from({ length: 12 }, (_, i) => [i + 1]));
  });

  test("are numbered on, also when earlier batches are gone", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1)]);
    deliverAll(job);
    await job.append([result(2)]);
    expect(job.next()).toEqual({ kind: "batch", batch: 2, results: [result(2)] });
  });

  test("are cut into batches that the wire takes", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    const results = Array.from({ length: MAX_RESULTS_PER_BATCH * 2 + 1 }, (_, i) => result(i));
    await job.append(results);
    await job.append([]);
    expect(job.resultCount).toBe(results.length);
    const batches = deliverAll(job);
    expect(batches.map(({ length }) => length)).toEqual([MAX_RESULTS_PER_BATCH, MAX_RESULTS_PER_BATCH, 1]);
    expect(batches.flat()).toEqual(results.map(({ port }) => port));
  });

  test("are the same item until they are acknowledged", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1)]);
    expect(job.next()).toEqual(job.next());
  });

  test("the completion names the claim, and acknowledging it leaves nothing", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.finish(COMPLETION);
    expect(job.next()).toEqual({ kind: "completion", completion: { ...COMPLETION, leaseId: LEASE } });
    deliverAll(job);
    expect(readdirSync(join(stateDir, "spool"))).toEqual([]);
  });

  test("are for the agent's own eyes", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1)]);
    expect(statSync(jobFolder()).mode & 0o777).toBe(0o700);
    expect(statSync(join(jobFolder(), "batch-0000001.json")).mode & 0o777).toBe(0o600);
  });

  test("say where, when they cannot be stored", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    rmSync(jobFolder(), { recursive: true });
    await expect(job.append([result(1)])).rejects.toMatchObject({
      code: "SPOOL_NOT_WRITABLE",
      message: expect.stringContaining(jobFolder()),
    });
  });
});

describe("after a restart", () => {
  test("what was left is there, claim by claim, and numbered on", async () => {
    const before = new Spool(stateDir);
    await before.job(7, LEASE).append([result(1)]);
    await before.job(8, OTHER_LEASE).append([result(2)]);
    await before.job(7, LEASE).append([result(3)]);

    const jobs = new Spool(stateDir).jobs().toSorted((a, b) => a.jobId - b.jobId);
    expect(jobs.map(({ jobId, leaseId }) => [jobId, leaseId])).toEqual([
      [7, LEASE],
      [8, OTHER_LEASE],
    ]);
    await jobs[0]?.append([result(4)]);
    expect(jobs.map(deliverAll)).toEqual([[[1], [3], [4]], [[2]]]);
  });

  test("a file that was never finished is no batch, and files of others are left alone", async () => {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1)]);
    writeFileSync(join(jobFolder(), "batch-0000002.json.new"), "half of a ba");
    writeFileSync(join(jobFolder(), "notes.txt"), "somebody's");
    writeFileSync(join(stateDir, "spool", "job-x"), "no job");
    const again = new Spool(stateDir);
    expect(again.jobs().map(deliverAll)).toEqual([[[1]]]);
  });

  test("nothing is left of a job that was forgotten", async () => {
    const spool = new Spool(stateDir);
    const job = spool.job(7, LEASE);
    await job.append([result(1)]);
    spool.forget(job);
    expect(spool.jobs()).toEqual([]);
    expect(new Spool(stateDir).jobs()).toEqual([]);
  });

  test("the same claim is the same job, another claim is not", () => {
    const spool = new Spool(stateDir);
    expect(spool.job(7, LEASE)).toBe(spool.job(7, LEASE));
    expect(spool.job(7, OTHER_LEASE)).not.toBe(spool.job(7, LEASE));
  });
});

describe("what the disk spoiled is noticed and set aside, and the rest goes on", () => {
  async function spoil(name: string, spoil: (path: string) => void): Promise<JobSpool> {
    const job = new Spool(stateDir).job(7, LEASE);
    await job.append([result(1)]);
    await job.append([result(2)]);
    await job.finish(COMPLETION);
    spoil(join(jobFolder(), name));
    return job;
  }

  test("a torn file, wherever it was torn", async () => {
    const whole = readFileSync(await spooledFile());
    // Only the last newline may be missing: it stands behind what the checksum covers.
    for (let length = 0; length < whole.length - 1; length++) {
      rmSync(join(stateDir, "spool"), { recursive: true });
      const job = await spoil("batch-0000001.json", (path) => truncateSync(path, length));
      expect(deliverAll(job)).toEqual([[2], "completed"]);
    }
  });

  test("a flipped bit, whichever", async () => {
    const path = await spooledFile();
    const whole = readFileSync(path);
    const flip = fc.nat(whole.length * 8 - 1);
    await fc.assert(
      fc.asyncProperty(flip, async (bit) => {
        rmSync(join(stateDir, "spool"), { recursive: true });
        const job = await spoil("batch-0000001.json", (path) => {
          const bytes = Buffer.from(whole);
          bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
          writeFileSync(path, bytes);
        });
        expect(deliverAll(job)).toEqual([[2], "completed"]);
        expect(setAside()).toEqual([`job-7-${LEASE}-batch-0000001.json`]);
      }),
      { numRuns: 100 },
    );
  });

  test("a spoiled completion: the batches are still delivered", async () => {
    const job = await spoil("completion.json", (path) => truncateSync(path, 20));
    expect(deliverAll(job)).toEqual([[1], [2]]);
    expect(setAside()).toEqual([`job-7-${LEASE}-completion.json`]);
  });

  test("a whole file that holds something else", async () => {
    const text = '{"not":"a batch"}';
    const sum = Bun.hash.crc32(text).toString(16).padStart(8, "0");
    const job = await spoil("batch-0000001.json", (path) => writeFileSync(path, `${sum}\n${text}\n`));
    expect(deliverAll(job)).toEqual([[2], "completed"]);
  });

  /** A batch as it stands on disk. */
  async function spooledFile(): Promise<string> {
    await new Spool(stateDir).job(7, LEASE).append([result(1)]);
    return join(jobFolder(), "batch-0000001.json");
  }
});

test("what is refused for good is kept for people, and does not come again", async () => {
  const spool = new Spool(stateDir);
  const job = spool.job(7, LEASE);
  await job.append([result(1)]);
  await job.append([result(2)]);
  await job.finish(COMPLETION);
  const refused = job.next();
  if (refused !== undefined) job.setAside(refused);
  expect(deliverAll(job)).toEqual([[2], "completed"]);
  expect(setAside()).toEqual([`job-7-${LEASE}-batch-0000001.json`]);
  expect(new Spool(stateDir).jobs()).toEqual([]);
});

test("writes that overlap are carried out in turn: none replaces another, and the completion comes last", async () => {
  const job = new Spool(stateDir).job(7, LEASE);
  const ports = Array.from({ length: 20 }, (_, i) => i + 1);
  const writes = ports.map((port) => job.append([result(port)]));
  await Promise.all([...writes, job.finish(COMPLETION)]);
  expect(job.resultCount).toBe(20);
  expect(deliverAll(job)).toEqual([...ports.map((port) => [port]), "completed"]);
});
