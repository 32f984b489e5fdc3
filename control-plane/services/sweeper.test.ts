import { expect, test } from "bun:test";
import type { Job } from "#shared/protocol/job.ts";
import { jobDirectiveSchema } from "#shared/protocol/job.ts";
import { TIMEOUT_GRACE_MS } from "#shared/protocol/limits.ts";
import type { Store } from "../store/store.ts";
import { describeOnBothDatabases } from "../store/testing/stores.ts";
import { errorCode, TestControlPlane, type TestScanner } from "../testing/control-plane.ts";

const TIMEOUT_SECONDS = 60;

interface Running {
  readonly plane: TestControlPlane;
  readonly scanner: TestScanner;
  readonly job: Job;
}

async function runningJob(store: Store): Promise<Running> {
  const plane = new TestControlPlane(store);
  const scanner = await plane.addScanner("s1");
  await plane.startScan([scanner], { scanTimeoutSeconds: TIMEOUT_SECONDS });
  const job = await plane.claim(scanner);
  await plane.jobCall(scanner, job, "start");
  return { plane, scanner, job };
}

/** The agent goes on. Returns whether it is told to stop. */
async function goOn({ plane, scanner, job }: Running): Promise<boolean> {
  const answer = await plane.jobCall(scanner, job, "progress", { progressCount: 1, resultCount: 0 });
  return jobDirectiveSchema.parse(answer.body).cancel;
}

describeOnBothDatabases("a job that goes on after its time-out", (openTestStore) => {
  test("is told to stop after the grace, and ends as failed with what was found", async () => {
    const store = await openTestStore();
    const running = await runningJob(store);
    const { plane, scanner, job } = running;
    store.dialect.shiftClock(TIMEOUT_SECONDS * 1_000);
    await plane.services.sweeper.sweep();
    expect(await goOn(running)).toBe(false);
    store.dialect.shiftClock(TIMEOUT_GRACE_MS);
    expect(await plane.services.sweeper.sweep()).toBe(0);
    expect(await goOn(running)).toBe(true);
    await plane.jobCall(scanner, job, "complete", { status: "cancelled", resultCount: 0 });
    expect(await plane.getScan(job.scanId)).toMatchObject({
      status: "failed",
      errorMessage: "s1: stopped at its time-out of 60 s; what was found is kept",
    });
  });

  test("is given up after twice the grace, when its agent does not stop", async () => {
    const store = await openTestStore();
    const running = await runningJob(store);
    const { plane, scanner, job } = running;
    store.dialect.shiftClock(TIMEOUT_SECONDS * 1_000 + 2 * TIMEOUT_GRACE_MS - 5_000);
    await goOn(running);
    store.dialect.shiftClock(5_000);
    expect(await plane.services.sweeper.sweep()).toBe(1);
    const late = await plane.jobCall(scanner, job, "progress", { progressCount: 2, resultCount: 0 });
    expect(errorCode(late)).toBe("JOB_ENDED");
    expect((await plane.getScan(job.scanId)).errorMessage).toContain("the scanner did not stop");
  });

  test("is not timed out but lost when its agent is silent: it goes back to the pool", async () => {
    const store = await openTestStore();
    const { plane, scanner, job } = await runningJob(store);
    store.dialect.shiftClock(10 * TIMEOUT_SECONDS * 1_000);
    expect(await plane.services.sweeper.sweep()).toBe(0);
    const again = await plane.claim(scanner);
    expect([again.jobId, again.attempt]).toEqual([job.jobId, 2]);
    await plane.jobCall(scanner, again, "start");
    // The time-out counts from the start of this attempt.
    expect(await plane.services.sweeper.sweep()).toBe(0);
    expect(await goOn({ plane, scanner, job: again })).toBe(false);
  });
});
