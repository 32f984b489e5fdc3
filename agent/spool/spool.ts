/**
 * Results and outcomes on disk until the control plane has acknowledged them.
 * One folder a claimed job, one file a batch. A file is written beside, synced and renamed, so it is whole or absent;
 * its first line is a checksum, so what the disk spoiled is noticed and never delivered.
 */

import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import {
  type JobCompleteRequest,
  jobCompleteRequestSchema,
  type PortResult,
  portResultSchema,
} from "#shared/protocol/job.ts";
import { resultBatches } from "#shared/protocol/result-batches.ts";

export type SpoolItem =
  | { readonly kind: "batch"; readonly batch: number; readonly results: PortResult[] }
  | { readonly kind: "completion"; readonly completion: JobCompleteRequest };

const BATCH_FILE = /^batch-(\d{7})\.json$/;
const COMPLETION_FILE = "completion.json";
/** Beside the jobs' folders: what was spoiled on disk or refused for good. */
const SET_ASIDE_FOLDER = "set-aside";
const JOB_FOLDER = /^job-(\d+)-([0-9a-f-]{36})$/;

const batchSchema = z.array(portResultSchema);

/** The folder of one claim of one job. */
export class JobSpool {
  readonly jobId: number;
  readonly leaseId: string;
  private readonly folder: string;
  private lastBatch: number;
  private stored = 0;
  /** Settles when the last write so far is done. Never rejects. */
  private lastWrite: Promise<void> = Promise.resolve();

  constructor(folder: string, jobId: number, leaseId: string) {
    this.folder = folder;
    this.jobId = jobId;
    this.leaseId = leaseId;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.lastBatch = this.batchNumbers().at(-1) ?? 0;
  }

  /** Results stored under this claim since the process began it. */
  get resultCount(): number {
    return this.stored;
  }

  /**
   * Calls may overlap; they are carried out one after the other.
   * @throws PortolanError SPOOL_NOT_WRITABLE; batches stored before the failure stay
   */
  append(results: readonly PortResult[]): Promise<void> {
    return this.inTurn(async () => {
      for (const part of resultBatches(results)) {
        const number = this.lastBatch + 1;
        await this.write(this.batchName(number), JSON.stringify(part));
        this.lastBatch = number;
        this.stored += part.length;
      }
    });
  }

  /** The last thing stored of a job: no batch comes after it. */
  finish(completion: Omit<JobCompleteRequest, "leaseId">): Promise<void> {
    return this.inTurn(() =>
      this.write(COMPLETION_FILE, JSON.stringify({ ...completion, leaseId: this.leaseId })),
    );
  }

  /** What is to be delivered next: batches in their order, then the completion. */
  next(): SpoolItem | undefined {
    for (const batch of this.batchNumbers()) {
      const results = this.read(this.batchName(batch), batchSchema);
      if (results !== undefined) return { kind: "batch", batch, results };
    }
    if (!existsSync(join(this.folder, COMPLETION_FILE))) return undefined;
    const completion = this.read(COMPLETION_FILE, jobCompleteRequestSchema);
    return completion === undefined ? undefined : { kind: "completion", completion };
  }

  /** The control plane has it: forget it. */
  acknowledge(item: SpoolItem): void {
    if (item.kind === "completion") this.discard();
    else rmSync(join(this.folder, this.batchName(item.batch)));
  }

  /** Keeps what the control plane will never take, out of the way, for people to look at. */
  setAside(item: SpoolItem): void {
    this.moveAside(item.kind === "batch" ? this.batchName(item.batch) : COMPLETION_FILE);
  }

  discard(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs a write when those before it are done, whether they succeeded or not. */
  private inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.lastWrite.then(write);
    this.lastWrite = turn.catch(() => undefined);
    return turn;
  }

  private batchNumbers(): number[] {
    return readdirSync(this.folder)
      .flatMap((name) => BATCH_FILE.exec(name)?.[1] ?? [])
      .map(Number)
      .toSorted((a, b) => a - b);
  }

  private batchName(batch: number): string {
    return `batch-${String(batch).padStart(7, "0")}.json`;
  }

  private async write(name: string, text: string): Promise<void> {
    const path = join(this.folder, name);
    try {
      const file = await open(`${path}.new`, "w", 0o600);
      try {
        await file.writeFile(`${checksum(text)}\n${text}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      renameSync(`${path}.new`, path);
    } catch (cause) {
      throw new PortolanError(
        "SPOOL_NOT_WRITABLE",
        `cannot store results in ${path}: ${errorMessage(cause)}`,
        {
          cause,
        },
      );
    }
  }

  /** Undefined where the file is spoiled; it is then moved out of the way. */
  private read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const path = join(this.folder, name);
    const [sum, text = ""] = readFileSync(path, "utf8").split("\n");
    if (sum === checksum(text)) {
      const parsed = schema.safeParse(JSON.parse(text));
      if (parsed.success) return parsed.data;
    }
    this.moveAside(name);
    return undefined;
  }

  private moveAside(name: string): void {
    const aside = join(dirname(this.folder), SET_ASIDE_FOLDER);
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    renameSync(join(this.folder, name), join(aside, `${basename(this.folder)}-${name}`));
  }
}

export class Spool {
  private readonly folder: string;
  private readonly open = new Map<string, JobSpool>();

  /**
   * Takes up what an earlier process left.
   * @throws UsageError STATE_NOT_WRITABLE
   */
  constructor(stateDir: string) {
    this.folder = join(stateDir, "spool");
    try {
      mkdirSync(this.folder, { recursive: true, mode: 0o700 });
      accessSync(this.folder, constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (cause) {
      const remedy = "run as the user it belongs to, or give --state-dir";
      throw new UsageError("STATE_NOT_WRITABLE", `cannot write to ${this.folder}: ${remedy}`, { cause });
    }
    for (const name of readdirSync(this.folder)) {
      const [, jobId, leaseId] = JOB_FOLDER.exec(name) ?? [];
      if (jobId !== undefined && leaseId !== undefined) this.job(Number(jobId), leaseId);
    }
  }

  job(jobId: number, leaseId: string): JobSpool {
    const name = `job-${jobId}-${leaseId}`;
    const known = this.open.get(name) ?? new JobSpool(join(this.folder, name), jobId, leaseId);
    this.open.set(name, known);
    return known;
  }

  /** Every job that may have something to deliver. */
  jobs(): JobSpool[] {
    return [...this.open.values()];
  }

  /** The job is done with: delivered, or not wanted any more. */
  forget(job: JobSpool): void {
    job.discard();
    this.open.delete(`job-${job.jobId}-${job.leaseId}`);
  }
}

function checksum(text: string): string {
  return Bun.hash.crc32(text).toString(16).padStart(8, "0");
}
