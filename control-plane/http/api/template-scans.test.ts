import { describe, expect, test } from "bun:test";
import type { Job } from "#shared/protocol/job.ts";
import { jobDirectiveSchema } from "#shared/protocol/job.ts";
import { JOB_TARGET_SECONDS, MAX_JOBS_SHOWN } from "#shared/protocol/limits.ts";
import { jobListSchema } from "#shared/protocol/job-administration.ts";
import { scanListSchema, type ScanView, scanViewSchema } from "#shared/protocol/operator.ts";
import { subnetViewSchema } from "#shared/protocol/subnets.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorCode, errorOf, TestControlPlane, type TestScanner } from "../../testing/control-plane.ts";

interface Scene {
  readonly plane: TestControlPlane;
  readonly catalogue: TestCatalogue;
}

/** A template of one subnet and one port list. */
async function simpleTemplate(
  { catalogue }: Scene,
  subnet: object,
  more: object = {},
  ports = "22,80",
): Promise<{ templateId: number; subnetId: number }> {
  const { id: subnetId } = await catalogue.subnet("10.0.0.0/30", subnet);
  const { id } = await catalogue.portList(ports);
  const template = await catalogue.template({ subnetIds: [subnetId], portListIds: [id], ...more });
  return { templateId: template.id, subnetId };
}

async function runTemplate({ plane }: Scene, templateId: number, more: object = {}): Promise<ScanView> {
  return plane.operate("POST", `/api/config/scan-templates/${templateId}/run`, scanViewSchema, more);
}

function sceneOf(plane: TestControlPlane): Scene {
  return { plane, catalogue: new TestCatalogue(plane) };
}

async function rates(
  plane: TestControlPlane,
  scanner: TestScanner,
  job: Job,
): Promise<(number | undefined)[]> {
  const answer = await plane.jobCall(scanner, job, "progress", { progressCount: 1, resultCount: 0 });
  const { maxProbesPerSecond, scannerProbesPerSecond } = jobDirectiveSchema.parse(answer.body);
  return [maxProbesPerSecond, scannerProbesPerSecond];
}

describeOnBothDatabases("a scan of a template", (openTestStore) => {
  test("has a job for each member of a group, the subnet's rate divided equally among them", async () => {
    const here = sceneOf(new TestControlPlane(await openTestStore()));
    const scanners = [
      await here.plane.addScanner("s1"),
      await here.plane.addScanner("s2"),
      await here.plane.addScanner("s3"),
    ];
    const group = await here.catalogue.group(scanners.map(({ id }) => id));
    const { templateId } = await simpleTemplate(here, { groupIds: [group.id], rateLimit: 600 });
    const scan = await runTemplate(here, templateId, { name: "by hand", priority: 7 });
    expect(scan).toMatchObject({ name: "by hand", priority: 7, templateId, probes: 3 * 8, ports: "22,80" });
    expect(scan.jobCounts).toMatchObject({ pending: 3, completed: 0 });
    for (const scanner of scanners) {
      const job = await here.plane.claim(scanner);
      expect(job).toMatchObject({ maxProbesPerSecond: 200, scannerProbesPerSecond: 0, priority: 7 });
      expect(job.targets).toEqual([{ addresses: ["10.0.0.0/30"], ports: "22,80" }]);
    }
  });

  test("is what the template was when it began, whatever becomes of it", async () => {
    const store = await openTestStore();
    const here = sceneOf(new TestControlPlane(store));
    const scanner = await here.plane.addScanner("s1");
    const { templateId, subnetId } = await simpleTemplate(here, { scannerIds: [scanner.id] });
    const scan = await runTemplate(here, templateId);
    const changes = { cidr: "10.9.0.0/24" };
    await here.plane.operate("PATCH", `/api/config/subnets/${subnetId}`, subnetViewSchema, changes);
    const token = await here.plane.token("operator");
    await here.plane.call("DELETE", `/api/config/scan-templates/${templateId}`, { token });
    expect((await here.plane.claim(scanner)).targets).toEqual([
      { addresses: ["10.0.0.0/30"], ports: "22,80" },
    ]);
    expect(await here.plane.getScan(scan.id)).toMatchObject({ targets: ["10.0.0.0/30"], probes: 8 });
    const { template_snapshot, expected } = await store.run(({ db }) =>
      db.selectFrom("scans").select(["template_snapshot", "expected"]).executeTakeFirstOrThrow(),
    );
    expect(JSON.parse(template_snapshot ?? "null")).toMatchObject({
      id: templateId,
      engine: "syn",
      portLists: [{ ports: "22,80" }],
      parts: [
        { source: { kind: "subnet", id: subnetId }, addresses: ["10.0.0.0/30"], scannerIds: [scanner.id] },
      ],
    });
    expect(JSON.parse(expected)).toEqual([]);
  });

  test("keeps the template's expected results", async () => {
    const store = await openTestStore();
    const here = sceneOf(new TestControlPlane(store));
    const scanner = await here.plane.addScanner("s1");
    const { templateId } = await simpleTemplate(here, { scannerIds: [scanner.id] });
    const wanted = { address: "10.0.0.1", protocol: "tcp", port: 22, state: "open" };
    const token = await here.plane.token("operator");
    const path = `/api/config/scan-templates/${templateId}/expected`;
    const added = await here.plane.call("POST", path, { token, body: { results: [wanted] } });
    expect(added.status).toBe(200);
    await runTemplate(here, templateId);
    const row = await store.run(({ db }) =>
      db.selectFrom("scans").select("expected").executeTakeFirstOrThrow(),
    );
    expect(JSON.parse(row.expected)).toEqual([wanted]);
  });

  test("scans what overlaps once, at the lowest limit", async () => {
    const here = sceneOf(new TestControlPlane(await openTestStore()));
    const scanner = await here.plane.addScanner("s1", { rateLimit: 1_000 });
    const scannerIds = [scanner.id];
    const wide = await here.catalogue.subnet("10.0.0.0/29", { scannerIds });
    const narrow = await here.catalogue.subnet("10.0.0.0/30", { scannerIds, rateLimit: 50 });
    const [web, all] = [await here.catalogue.portList("80"), await here.catalogue.portList("80-81,U:53")];
    const { id } = await here.catalogue.template({
      subnetIds: [wide.id, narrow.id],
      portListIds: [web.id, all.id],
    });
    expect((await runTemplate(here, id)).probes).toBe(8 * 3);
    const jobs = await here.plane.poll(scanner);
    expect(jobs.map(({ targets, maxProbesPerSecond }) => [targets, maxProbesPerSecond])).toEqual([
      [[{ addresses: ["10.0.0.0/30"], ports: "80-81,U:53" }], 50],
      [[{ addresses: ["10.0.0.4/30"], ports: "80-81,U:53" }], 500],
    ]);
  });
});

describeOnBothDatabases("jobs that run at the same time", (openTestStore) => {
  test("share their scanner's limit; when one begins or ends, the others hear of it", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 900 });
    for (let i = 0; i < 3; i++) await plane.startScan([scanner], { maxProbesPerSecond: i === 2 ? 100 : 0 });
    const [first] = await plane.poll(scanner, 1);
    if (first === undefined) throw new Error("no job");
    expect([first.maxProbesPerSecond, first.scannerProbesPerSecond]).toEqual([900, 900]);
    const [second, third] = await plane.poll(scanner, 2);
    expect([second?.maxProbesPerSecond, third?.maxProbesPerSecond]).toEqual([300, 100]);
    expect(await rates(plane, scanner, first)).toEqual([300, 900]);
    if (second === undefined) throw new Error("no second job");
    await plane.jobCall(scanner, second, "complete", { status: "completed", resultCount: 0 });
    expect(await rates(plane, scanner, first)).toEqual([450, 900]);
    const token = await plane.token("operator");
    await plane.call("PUT", `/api/config/scanners/${scanner.id}`, { token, body: { rateLimit: 100 } });
    expect(await rates(plane, scanner, first)).toEqual([50, 100]);
  });

  test("share the limit of the subnet they scan, whichever scanner of the pool has them", async () => {
    const here = sceneOf(new TestControlPlane(await openTestStore()));
    const { plane, catalogue } = here;
    const [one, two] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const subnet = await catalogue.subnet("10.0.0.0/22", { scannerIds: [one.id, two.id], rateLimit: 100 });
    const ports = await catalogue.portList("1-100");
    const template = await catalogue.template({
      subnetIds: [subnet.id],
      portListIds: [ports.id],
      retries: 0,
    });
    const scan = await runTemplate(here, template.id);
    expect(scan.jobs).toHaveLength(Math.ceil(102_400 / (100 * JOB_TARGET_SECONDS)));
    const [mine] = await plane.poll(one, 1);
    const [theirs] = await plane.poll(two, 1);
    if (mine === undefined) throw new Error("no job");
    expect([mine.maxProbesPerSecond, theirs?.maxProbesPerSecond]).toEqual([100, 50]);
    expect(await rates(plane, one, mine)).toEqual([50, 0]);
  });

  test("are no more than their scanner's limit has probes", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 2 });
    for (let i = 0; i < 3; i++) await plane.startScan([scanner], { targets: ["10.0.0.1"], ports: "80" });
    expect((await plane.poll(scanner, 8)).map((job) => job.maxProbesPerSecond)).toEqual([1, 1]);
    expect(await plane.poll(scanner)).toEqual([]);
  });

  test("are claimed by priority, then by age", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const ids: number[] = [];
    for (const priority of [0, 10, 10, 5]) ids.push((await plane.startScan([scanner], { priority })).id);
    const [first, second] = [await plane.poll(scanner, 1), await plane.poll(scanner, 3)];
    expect([...first, ...second].map(({ scanId }) => scanId)).toEqual([1, 2, 3, 0].map((i) => ids[i] ?? 0));
  });
});

describeOnSqlite("starting a scan", (openTestStore) => {
  test("by template or by targets: one of the two, and the error is about the one that was meant", async () => {
    const here = sceneOf(new TestControlPlane(await openTestStore()));
    const scanner = await here.plane.addScanner("s1");
    const { templateId } = await simpleTemplate(here, { scannerIds: [scanner.id] });
    const token = await here.plane.token("operator");
    const post = (body: object) => here.plane.call("POST", "/api/scans", { token, body });
    expect((await post({ templateId })).status).toBe(201);
    expect(errorOf(await post({ templateId: "x" }))).toMatchObject({
      code: "INVALID_REQUEST",
      message: expect.stringContaining("templateId"),
    });
    expect(errorOf(await post({ templateId, targets: ["10.0.0.1"] })).message).toContain("targets");
    expect(errorCode(await post({ templateId: 99 }))).toBe("NOT_FOUND");
  });

  test("of UDP ports is for 'syn', not for 'connect'", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await plane.startScan([scanner], { ports: "22,U:53" });
    expect(scan).toMatchObject({ ports: "22,U:53", probes: 32 });
    expect((await plane.claim(scanner)).targets).toEqual([{ addresses: ["10.0.0.0/28"], ports: "22,U:53" }]);
  });

  test("with nmap is for scanners that have it, named where they have not", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [one, two] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    await plane.call("POST", "/scanner/heartbeat", { key: one.key, body: { capabilities: ["syn", "nmap"] } });
    const token = await plane.token("operator");
    const body = { scannerIds: [two.id], targets: ["10.0.0.1"], ports: "80", engine: "nmap" };
    expect(errorOf(await plane.call("POST", "/api/scans", { token, body }))).toMatchObject({
      code: "CONFLICT",
      message: "nmap is not installed on 's2'",
      details: { scannerIds: [two.id] },
    });
    const scan = await plane.startScan([one], {
      engine: "nmap",
      serviceDetection: true,
      scanTimeoutSeconds: 100,
    });
    expect(scan).toMatchObject({ engine: "nmap", serviceDetection: true });
    expect(await plane.claim(one)).toMatchObject({
      engine: "nmap",
      serviceDetection: true,
      options: { scanTimeoutSeconds: 190 },
      phases: { discoveryTimeoutSeconds: 70, serviceTimeoutSeconds: 120, discoveryProgress: 0.7 },
    });
  });

  test("of IPv6 without IPv6 connectivity fails and says so; the IPv4 part is done", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    await plane.call("POST", "/scanner/heartbeat", {
      key: scanner.key,
      body: { capabilities: ["syn", "ipv4"] },
    });
    const only = await plane.startScan([scanner], { targets: ["2001:db8::1"] });
    expect(only).toMatchObject({ status: "failed", errorMessage: "s1: no IPv6 connectivity on 's1'" });
    const both = await plane.startScan([scanner], { targets: ["2001:db8::1", "10.0.0.1"], ports: "80" });
    const job = await plane.claim(scanner);
    expect(job.targets).toEqual([{ addresses: ["10.0.0.1"], ports: "80" }]);
    await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 0 });
    expect(await plane.getScan(both.id)).toMatchObject({
      status: "failed",
      jobCounts: { completed: 1, failed: 1 },
      errorMessage: "s1: no IPv6 connectivity on 's1'",
    });
  });

  test("of much makes many jobs; the scan shows the first and counts all", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { rateLimit: 10 });
    const scan = await plane.startScan([scanner], { targets: ["10.0.0.0/20"], ports: "1-500", retries: 0 });
    const jobs = Math.ceil(4_096 / Math.floor((10 * JOB_TARGET_SECONDS) / 500));
    expect(jobs).toBeGreaterThan(MAX_JOBS_SHOWN);
    expect([scan.jobs.length, scan.jobCounts.pending]).toEqual([MAX_JOBS_SHOWN, jobs]);
    const page = await plane.operate("GET", `/api/jobs?scanId=${scan.id}&limit=1`, jobListSchema);
    expect(page.jobs[0]?.estimateSeconds).toBeLessThanOrEqual(JOB_TARGET_SECONDS + 2);
  });
});

describe("the list of scans", () => {
  describeOnSqlite("is filtered", (openTestStore) => {
    test("by status, template, schedule and part of the name", async () => {
      const here = sceneOf(new TestControlPlane(await openTestStore()));
      const scanner = await here.plane.addScanner("s1");
      const { templateId } = await simpleTemplate(here, { scannerIds: [scanner.id] });
      const [adHoc, ofTemplate] = [
        await here.plane.startScan([scanner], { name: "50% of_all" }),
        await runTemplate(here, templateId, { name: "weekly" }),
      ];
      const token = await here.plane.token("operator");
      await here.plane.call("POST", `/api/scans/${adHoc.id}/cancel`, { token });
      const list = async (query: string) =>
        (await here.plane.operate("GET", `/api/scans?${query}`, scanListSchema)).scans.map(({ id }) => id);
      expect(await list("")).toEqual([ofTemplate.id, adHoc.id]);
      expect(await list("status=cancelled")).toEqual([adHoc.id]);
      expect(await list(`templateId=${templateId}`)).toEqual([ofTemplate.id]);
      expect(await list("scheduleId=1")).toEqual([]);
      expect(await list("q=50%25%20OF_")).toEqual([adHoc.id]);
      expect(await list("q=5_")).toEqual([]);
      expect(errorCode(await here.plane.call("GET", "/api/scans?status=ajar", { token }))).toBe(
        "INVALID_REQUEST",
      );
    });
  });
});
