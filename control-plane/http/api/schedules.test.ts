import { expect, test } from "bun:test";
import { Log } from "#shared/log.ts";
import { MAX_SCHEDULES } from "#shared/protocol/limits.ts";
import { type ScanView, scanViewSchema } from "#shared/protocol/operator.ts";
import { scheduleListSchema, type ScheduleView, scheduleViewSchema } from "#shared/protocol/schedule.ts";
import { ScheduleRunner } from "../../services/schedule-runner.ts";
import { insertSchedule } from "../../store/schedules.ts";
import { readClock, type Store } from "../../store/store.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorCode, errorOf, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";

const quiet = new Log(() => {}, "ERROR", Date.now);
const DAY = 86_400_000;
const HOUR = 3_600_000;

interface Scene {
  readonly plane: TestControlPlane;
  readonly scanner: TestScanner;
  readonly templateId: number;
}

async function scene(store: Store): Promise<Scene> {
  const plane = new TestControlPlane(store);
  const scanner = await plane.addScanner("s1");
  const catalogue = new TestCatalogue(plane);
  const subnet = await catalogue.subnet("10.0.0.0/30", { scannerIds: [scanner.id] });
  const ports = await catalogue.portList("22,80");
  const { id } = await catalogue.template({ subnetIds: [subnet.id], portListIds: [ports.id] });
  return { plane, scanner, templateId: id };
}

/** Sets the database's clock. */
async function setClock(store: Store, time: string): Promise<void> {
  store.dialect.shiftClock(Date.parse(time) - (await store.run(readClock)));
}

const nightly = { kind: "daily", hour: 2, minute: 30 };

async function addSchedule(
  { plane, templateId }: Scene,
  changes: object = {},
  timing: object = nightly,
): Promise<ScheduleView> {
  const body = { name: "nightly", templateId, ...timing, ...changes };
  return plane.operate("POST", "/api/config/schedules", scheduleViewSchema, body);
}

async function getSchedule({ plane }: Scene, id: number): Promise<ScheduleView> {
  return plane.operate("GET", `/api/config/schedules/${id}`, scheduleViewSchema);
}

/** Scans that were started so far. */
async function scansOf(plane: TestControlPlane): Promise<readonly Omit<ScanView, "jobs">[]> {
  return (await plane.services.scans.list({}, 100, undefined)).rows.toReversed();
}

async function finishScans({ plane, scanner }: Scene): Promise<void> {
  for (const job of await plane.poll(scanner)) {
    await plane.jobCall(scanner, job, "start");
    await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 0 });
  }
}

describeOnBothDatabases("a schedule", (openTestStore) => {
  test("starts a scan of its template when it is due, once, and then waits for the next time", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const schedule = await addSchedule(here);
    expect(schedule.nextRunAt).toBe("2030-01-02T02:30:00.000Z");
    const { scheduleRunner } = here.plane.services;
    await setClock(store, "2030-01-02T02:29:00Z");
    expect(await scheduleRunner.turn()).toBe(0);
    await setClock(store, "2030-01-02T02:30:00Z");
    expect(await scheduleRunner.turn()).toBe(1);
    expect(await scheduleRunner.turn()).toBe(0);
    const [scan, ...others] = await scansOf(here.plane);
    expect(others).toEqual([]);
    expect(scan).toMatchObject({
      name: "nightly",
      status: "planned",
      templateId: here.templateId,
      scheduleId: schedule.id,
      createdBy: "schedule:nightly",
      probes: 8,
    });
    expect(await getSchedule(here, schedule.id)).toMatchObject({
      nextRunAt: "2030-01-03T02:30:00.000Z",
      lastRunAt: "2030-01-02T02:30:00.000Z",
      lastScanId: scan?.id,
      lastNote: null,
    });
  });

  test("is run by one of two replicas that look at the same time", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    const other = new ScheduleRunner(store, quiet);
    await setClock(store, "2030-01-01T12:00:00Z");
    await addSchedule(here);
    store.dialect.shiftClock(DAY);
    await Promise.all([here.plane.services.scheduleRunner.turn(), other.turn(), other.turn()]);
    await other.turn();
    expect(await scansOf(here.plane)).toHaveLength(1);
  });

  test("that was missed while nobody was there runs once, however often it was missed", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const { id } = await addSchedule(here);
    await setClock(store, "2030-01-09T12:00:00Z");
    const started = new ScheduleRunner(store, quiet);
    expect(await started.turn()).toBe(1);
    expect(await scansOf(here.plane)).toHaveLength(1);
    expect(await getSchedule(here, id)).toMatchObject({ nextRunAt: "2030-01-10T02:30:00.000Z" });
  });

  test("never runs twice at the same time: while its scan goes on, a run is skipped and noted", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const { id } = await addSchedule(here);
    const { scheduleRunner } = here.plane.services;
    store.dialect.shiftClock(DAY);
    await scheduleRunner.turn();
    store.dialect.shiftClock(DAY);
    expect(await scheduleRunner.turn()).toBe(1);
    const [scan] = await scansOf(here.plane);
    expect(await scansOf(here.plane)).toHaveLength(1);
    expect((await getSchedule(here, id)).lastNote).toBe(
      `skipped: scan ${scan?.id} of this schedule was still going on`,
    );
    await finishScans(here);
    store.dialect.shiftClock(DAY);
    await scheduleRunner.turn();
    expect(await scansOf(here.plane)).toHaveLength(2);
    expect((await getSchedule(here, id)).lastNote).toBeNull();
  });

  test("whose template cannot be scanned is noted, and tried again at its next time", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const { id } = await addSchedule(here);
    const token = await here.plane.token("operator");
    await here.plane.call("POST", `/api/config/scanners/${here.scanner.id}/disable`, { token });
    store.dialect.shiftClock(DAY);
    expect(await here.plane.services.scheduleRunner.turn()).toBe(1);
    expect(await getSchedule(here, id)).toMatchObject({
      lastNote: expect.stringContaining("none of the scanners may scan now: s1"),
      nextRunAt: "2030-01-03T02:30:00.000Z",
      lastScanId: null,
    });
    expect(await scansOf(here.plane)).toEqual([]);
  });

  test("and another in one gap of daylight saving each run once", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-03-30T12:00:00Z");
    const timeZone = "Europe/Berlin";
    const [first, second] = [
      await addSchedule(here, { timeZone }),
      await addSchedule(here, { timeZone, name: "other", minute: 0 }),
    ];
    expect([first.nextRunAt, second.nextRunAt]).toEqual([
      "2030-03-31T01:00:00.000Z",
      "2030-03-31T01:00:00.000Z",
    ]);
    await setClock(store, "2030-03-31T01:00:00Z");
    expect(await here.plane.services.scheduleRunner.turn()).toBe(2);
    await setClock(store, "2030-03-31T03:00:00Z");
    expect(await here.plane.services.scheduleRunner.turn()).toBe(0);
    expect((await scansOf(here.plane)).map(({ scheduleId }) => scheduleId)).toEqual([first.id, second.id]);
  });

  test("runs by hand, disabled or not, but not while its scan goes on; its times stay", async () => {
    const here = await scene(await openTestStore());
    const schedule = await addSchedule(here, { enabled: false });
    expect(schedule.nextRunAt).toBeNull();
    const path = `/api/config/schedules/${schedule.id}/run`;
    const scan = await here.plane.operate("POST", path, scanViewSchema);
    expect(scan).toMatchObject({ scheduleId: schedule.id, createdBy: "operator:test-admin" });
    const again = await here.plane.call("POST", path, { token: await here.plane.token("operator") });
    expect(errorOf(again)).toMatchObject({ code: "CONFLICT", details: { scanId: scan.id } });
    expect(await getSchedule(here, schedule.id)).toMatchObject({ nextRunAt: null, lastScanId: scan.id });
  });

  test("with jitter fires within it, at the same moment for every replica", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const { id, nextRunAt } = await addSchedule(here, { jitterSeconds: 600 });
    const late = Date.parse(nextRunAt ?? "") - Date.parse("2030-01-02T02:30:00Z");
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(600_000);
    await here.plane.operate("PATCH", `/api/config/schedules/${id}`, scheduleViewSchema, { name: "renamed" });
    expect((await getSchedule(here, id)).nextRunAt).toBe(nextRunAt);
  });
});

describeOnBothDatabases("when the clock", (openTestStore) => {
  test("jumps ahead, what was missed runs once", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    await addSchedule(here, {}, { kind: "hourly", minute: 0 });
    const { scheduleRunner } = here.plane.services;
    await scheduleRunner.turn();
    await setClock(store, "2030-01-01T17:30:00Z");
    expect(await scheduleRunner.turn()).toBe(1);
    expect(await scheduleRunner.turn()).toBe(0);
    expect(await scansOf(here.plane)).toHaveLength(1);
  });

  test("is set back a little, no run is repeated", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-02T02:29:00Z");
    const { id } = await addSchedule(here);
    const { scheduleRunner } = here.plane.services;
    await setClock(store, "2030-01-02T02:31:00Z");
    expect(await scheduleRunner.turn()).toBe(1);
    await finishScans(here);
    await setClock(store, "2030-01-02T01:31:00Z");
    expect(await scheduleRunner.turn()).toBe(0);
    await setClock(store, "2030-01-02T02:31:00Z");
    expect(await scheduleRunner.turn()).toBe(0);
    expect(await getSchedule(here, id)).toMatchObject({ nextRunAt: "2030-01-03T02:30:00.000Z" });
  });

  test("was wrong by years and is put right, schedules do not wait for years", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2040-01-01T12:00:00Z");
    const { id } = await addSchedule(here);
    const { scheduleRunner } = here.plane.services;
    await scheduleRunner.turn();
    await setClock(store, "2030-01-01T12:00:00Z");
    await scheduleRunner.turn();
    expect(await getSchedule(here, id)).toMatchObject({ nextRunAt: "2030-01-02T02:30:00.000Z" });
    // A server that starts after the clock was put right knows of no jump, and looks all the same.
    await setClock(store, "2029-01-01T12:00:00Z");
    await new ScheduleRunner(store, quiet).turn();
    expect(await getSchedule(here, id)).toMatchObject({ nextRunAt: "2029-01-02T02:30:00.000Z" });
    await setClock(store, "2029-01-02T02:30:00Z");
    expect(await scheduleRunner.turn()).toBe(1);
  });
});

describeOnSqlite("schedules", (openTestStore) => {
  test("are listed in pages and by filter, replaced, changed and deleted", async () => {
    const here = await scene(await openTestStore());
    const { plane, templateId } = here;
    const first = await addSchedule(here);
    const second = await addSchedule(here, { name: "weekly %", kind: "weekly", dayOfWeek: 1 });
    const list = (query: string) =>
      plane.operate("GET", `/api/config/schedules?${query}`, scheduleListSchema);
    const page = await list("limit=1");
    expect([page.schedules.map(({ id }) => id), page.nextCursor]).toEqual([[first.id], first.id]);
    expect((await list(`limit=1&cursor=${first.id}`)).schedules.map(({ id }) => id)).toEqual([second.id]);
    expect((await list("q=WEEKLY%20%25")).schedules.map(({ id }) => id)).toEqual([second.id]);
    expect((await list(`templateId=${templateId + 1}`)).schedules).toEqual([]);
    const path = `/api/config/schedules/${first.id}`;
    const cron = { name: "often", templateId, kind: "cron", cron: "*/15 * * * *", timeZone: "Asia/Tokyo" };
    expect(await plane.operate("PUT", path, scheduleViewSchema, cron)).toMatchObject({
      ...cron,
      enabled: true,
    });
    const off = await plane.operate("PATCH", path, scheduleViewSchema, { enabled: false });
    expect(off).toMatchObject({ kind: "cron", enabled: false, nextRunAt: null });
    const token = await plane.token("operator");
    expect((await plane.call("DELETE", path, { token })).status).toBe(204);
    expect((await plane.call("GET", path, { token })).status).toBe(404);
    expect((await plane.call("DELETE", path, { token })).status).toBe(404);
    const audited = await plane.call("GET", "/api/audit", { token: await plane.token("admin") });
    expect(JSON.stringify(audited.body)).toContain("schedule.deleted");
  });

  test.each([
    [{ hour: 24 }, "hour"],
    [{ minute: "5" }, "minute"],
    [{ kind: "yearly" }, "kind"],
    [{ kind: "weekly" }, "dayOfWeek"],
    [{ dayOfMonth: 3 }, "dayOfMonth"],
    [{ timeZone: "Mars/Olympus" }, "timeZone"],
    [{ jitterSeconds: -1 }, "jitterSeconds"],
    [{ templateId: 999 }, "templateId"],
    [{ name: "" }, "name"],
    [{ speed: 1 }, "speed"],
    [{ cron: "99 * * * *" }, "cron"],
    [{ cron: "0 0 30 2 *" }, "cron"],
  ])("with %j are refused, naming the field, and nothing is stored", async (wrong, field) => {
    const here = await scene(await openTestStore());
    const timing = "cron" in wrong ? { kind: "cron" } : nightly;
    const body = { name: "x", templateId: here.templateId, ...timing, ...wrong };
    const answer = await here.plane.call("POST", "/api/config/schedules", {
      token: await here.plane.token("operator"),
      body,
    });
    expect([answer.status, errorCode(answer)]).toEqual([400, "INVALID_REQUEST"]);
    expect(errorOf(answer).message).toContain(field);
    const { schedules } = await here.plane.operate("GET", "/api/config/schedules", scheduleListSchema);
    expect(schedules).toEqual([]);
  });

  test("are told apart by name, protect their template, and are changed by operators only", async () => {
    const here = await scene(await openTestStore());
    const { plane, templateId } = here;
    await addSchedule(here);
    const token = await plane.token("operator");
    const body = { name: "nightly", templateId, kind: "hourly", minute: 1 };
    expect(errorCode(await plane.call("POST", "/api/config/schedules", { token, body }))).toBe("CONFLICT");
    const template = await plane.call("DELETE", `/api/config/scan-templates/${templateId}`, { token });
    expect(template.status).toBe(409);
    expect(JSON.stringify(template.body)).toContain("nightly");
    const viewer = { token: await plane.token("viewer"), body: { ...body, name: "b" } };
    expect((await plane.call("POST", "/api/config/schedules", viewer)).status).toBe(403);
    expect((await plane.call("GET", "/api/config/schedules", { token: viewer.token })).status).toBe(200);
  });

  test("keep any name as it is, SQL and script too", async () => {
    const here = await scene(await openTestStore());
    const name = "'; drop table schedules; -- <script>alert(1)</script>";
    expect((await addSchedule(here, { name })).name).toBe(name);
    const { schedules } = await here.plane.operate("GET", "/api/config/schedules", scheduleListSchema);
    expect(schedules.map((schedule) => schedule.name)).toEqual([name]);
  });

  test(`are ${MAX_SCHEDULES} at most; one more answers 409`, async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await store.transaction(async (session) => {
      for (let i = 0; i < MAX_SCHEDULES; i++) {
        await insertSchedule(session, {
          name: `s-${i}`,
          template_id: here.templateId,
          timing: JSON.stringify({ kind: "hourly", minute: 0 }),
          time_zone: "UTC",
          jitter_seconds: 0,
          enabled: 0,
          created_by: "test",
        });
      }
    });
    const body = { name: "more", templateId: here.templateId, kind: "hourly", minute: 1 };
    const answer = await here.plane.call("POST", "/api/config/schedules", {
      token: await here.plane.token("operator"),
      body,
    });
    expect([answer.status, errorCode(answer)]).toEqual([409, "LIMIT_REACHED"]);
  });

  test("that are edited while they wait are planned anew", async () => {
    const store = await openTestStore();
    const here = await scene(store);
    await setClock(store, "2030-01-01T12:00:00Z");
    const { id } = await addSchedule(here);
    await here.plane.operate("PUT", `/api/config/schedules/${id}`, scheduleViewSchema, {
      name: "nightly",
      templateId: here.templateId,
      kind: "hourly",
      minute: 5,
    });
    expect(await getSchedule(here, id)).toMatchObject({ nextRunAt: "2030-01-01T12:05:00.000Z" });
    store.dialect.shiftClock(HOUR);
    expect(await here.plane.services.scheduleRunner.turn()).toBe(1);
  });
});
