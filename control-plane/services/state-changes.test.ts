import { expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import type { Job } from "#shared/protocol/job.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../store/testing/stores.ts";
import { TestControlPlane, type TestScanner } from "../testing/control-plane.ts";
import {
  changesOf,
  changeTexts,
  endpointsOf,
  type Ending,
  finishJob,
  type Found,
  scanOnce,
} from "../testing/scan-round.ts";

setDefaultTimeout(60_000);

const NET = { targets: ["10.0.0.1-10.0.0.3"], ports: "22,80,443,U:53" };

async function newPlane(openTestStore: () => Promise<TestControlPlane["store"]>) {
  const plane = new TestControlPlane(await openTestStore());
  return { plane, scanner: await plane.addScanner("s1") };
}

const open = (address: string, port: number, more: Partial<Found> = {}): Found => ({
  address,
  port,
  ...more,
});

describeOnBothDatabases("changes", (openTestStore) => {
  test("the first look is what later ones are compared with, and changes nothing itself", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.1", 80)]);
    expect(await changeTexts(plane)).toEqual([]);
    expect(await endpointsOf(plane)).toMatchObject([
      { vantage: `scanner:${scanner.id}`, address: "10.0.0.1", port: 22, state: "open" },
      { address: "10.0.0.1", port: 80, state: "open" },
    ]);
    const second = await scanOnce(plane, scanner, NET, [
      open("10.0.0.1", 22),
      open("10.0.0.1", 443),
      open("10.0.0.2", 53, { protocol: "udp" }),
    ]);
    expect((await changeTexts(plane)).toSorted()).toEqual([
      "host_appeared 10.0.0.2",
      "port_closed 10.0.0.1:80/tcp open>closed",
      "port_opened 10.0.0.1:443/tcp closed>open",
      "port_opened 10.0.0.2:53/udp closed>open",
    ]);
    const { changes, pendingJobs, suspicious } = await changesOf(plane, second);
    expect([changes.length, pendingJobs, suspicious]).toEqual([4, 0, []]);
    expect(changes[0]).toMatchObject({ scanId: second.id, vantage: `scanner:${scanner.id}` });
  });

  test("a host vanishes with its last open port", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.2", 22)]);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)]);
    expect((await changeTexts(plane)).toSorted()).toEqual([
      "host_vanished 10.0.0.2",
      "port_closed 10.0.0.2:22/tcp open>closed",
    ]);
  });

  test("states that are reported are told apart", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const all = { ...NET, reportStates: ["open", "closed", "filtered"] } as const;
    const look = (state: "open" | "closed" | "filtered") =>
      scanOnce(plane, scanner, { ...all, reportStates: [...all.reportStates] }, [
        open("10.0.0.2", 22),
        open("10.0.0.1", 80, { state }),
      ]);
    for (const state of ["closed", "filtered", "open", "closed"] as const) await look(state);
    expect(await changeTexts(plane, "&address=10.0.0.1")).toEqual([
      "port_filtered 10.0.0.1:80/tcp closed>filtered",
      "port_opened 10.0.0.1:80/tcp filtered>open",
      "host_appeared 10.0.0.1",
      "port_closed 10.0.0.1:80/tcp open>closed",
      "host_vanished 10.0.0.1",
    ]);
  });

  test("a service that is another one is a change; one that says less is not", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const look = (software: Partial<Found>) =>
      scanOnce(plane, scanner, NET, [open("10.0.0.1", 80, software)]);
    await look({});
    await look({ service: "http", product: "nginx", version: "1.18" });
    await look({ service: "http" });
    await look({ service: "http", product: "nginx", version: "1.20" });
    expect(await changeTexts(plane)).toEqual([
      "service_changed 10.0.0.1:80/tcp http nginx 1.18>http nginx 1.20",
    ]);
    expect(await endpointsOf(plane)).toMatchObject([{ product: "nginx", version: "1.20" }]);
  });

  test("vantage points are compared with themselves only", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const other = await plane.addScanner("s2");
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)]);
    await scanOnce(plane, other, NET, [open("10.0.0.1", 80)]);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)]);
    expect(await changeTexts(plane)).toEqual([]);
    expect(await endpointsOf(plane, `&vantage=scanner:${other.id}`)).toMatchObject([{ port: 80 }]);
    expect(await endpointsOf(plane, "&vantage=scanner:99")).toEqual([]);
    expect(await endpointsOf(plane, "&port=22&state=open&protocol=tcp&address=10.0.0.1")).toHaveLength(1);
  });

  test.each(["partial", "failed", "cancelled"] as const)(
    "a scan that is %s closes nothing",
    async (ending) => {
      const { plane, scanner } = await newPlane(openTestStore);
      await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.1", 80)]);
      const found = [open("10.0.0.1", 443), open("10.0.0.1", 22, { state: "closed", reason: "reset" })];
      await scanOnce(plane, scanner, NET, found, ending);
      expect(await changeTexts(plane)).toEqual(["port_opened 10.0.0.1:443/tcp closed>open"]);
    },
  );

  test("a scan of one host or of other ports closes nothing elsewhere", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.2", 22), open("10.0.0.2", 80)]);
    await scanOnce(plane, scanner, { targets: ["10.0.0.2"], ports: "22" }, [], "complete", { closed: 1 });
    expect(await changeTexts(plane)).toEqual(["port_closed 10.0.0.2:22/tcp open>closed"]);
  });

  test("success and no port at all, where ports were open, is marked and changes nothing", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)]);
    const empty = await scanOnce(plane, scanner, NET, [], "complete", { packetsReceived: 0, open: 0 });
    expect(await changeTexts(plane)).toEqual([]);
    const { suspicious, pendingJobs } = await changesOf(plane, empty);
    expect(pendingJobs).toBe(0);
    expect(suspicious).toEqual([
      { reason: "nothing-found", vantage: `scanner:${scanner.id}`, jobId: expect.any(Number), address: null },
    ]);
    // Hosts that say that their ports are closed were reached.
    await scanOnce(plane, scanner, NET, [], "complete", { closed: 12 });
    expect(await changeTexts(plane)).toEqual([
      "port_closed 10.0.0.1:22/tcp open>closed",
      "host_vanished 10.0.0.1",
    ]);
  });

  test("a job that is doubted counts once an operator believes it", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)]);
    const scan = await scanOnce(plane, scanner, NET, []);
    const path = `/api/jobs/${scan.jobs[0]?.id}/believe`;
    const believe = async (role: "viewer" | "operator") =>
      (await plane.call("POST", path, { token: await plane.token(role) })).status;
    expect(await believe("viewer")).toBe(403);
    expect(await believe("operator")).toBe(204);
    await plane.services.stateChanges.catchUp();
    expect(await changeTexts(plane)).toEqual([
      "port_closed 10.0.0.1:22/tcp open>closed",
      "host_vanished 10.0.0.1",
    ]);
    expect((await changesOf(plane, scan)).suspicious).toEqual([]);
    expect(await believe("operator")).toBe(409);
  });

  test("a host that answers on every port is marked, and changes nothing", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const wide = { targets: ["10.0.0.1-10.0.0.2"], ports: "1-200" };
    await scanOnce(plane, scanner, wide, [open("10.0.0.1", 22), open("10.0.0.2", 22)]);
    const everyPort = Array.from({ length: 200 }, (_, i) => open("10.0.0.1", i + 1));
    const scan = await scanOnce(plane, scanner, wide, [...everyPort, open("10.0.0.2", 22)]);
    expect(await changeTexts(plane)).toEqual([]);
    expect((await changesOf(plane, scan)).suspicious).toEqual([
      {
        reason: "answers-on-every-port",
        vantage: `scanner:${scanner.id}`,
        jobId: null,
        address: "10.0.0.1",
      },
    ]);
    const answer = await plane.call("GET", `/api/scans/${scan.id}/results?limit=1`, {
      token: await plane.token("viewer"),
    });
    expect(answer.body).toMatchObject({ results: [{ suspicious: "answers-on-every-port" }] });
  });

  test("open ports that the scanner withheld are not taken for closed", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.2", 22), open("10.0.0.2", 80)]);
    const summary = { hostsSuspicious: 1, openWithheld: 3 };
    const scan = await scanOnce(plane, scanner, NET, [open("10.0.0.2", 22)], "complete", summary);
    expect(await changeTexts(plane)).toEqual(["port_closed 10.0.0.2:80/tcp open>closed"]);
    expect((await changesOf(plane, scan)).suspicious).toMatchObject([{ reason: "answers-on-every-port" }]);
  });

  test("changes are filtered, and come in pages", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.3", 22)]);
    await scanOnce(plane, scanner, NET, [open("10.0.0.3", 22), open("10.0.0.1", 22), open("10.0.0.2", 22)]);
    expect(await changeTexts(plane, "&kind=port_opened&address=10.0.0.1")).toHaveLength(1);
    expect(await changeTexts(plane, `&vantage=scanner:${scanner.id}`)).toHaveLength(4);
    expect(await changeTexts(plane, "&since=2020-01-01T00:00:00Z")).toHaveLength(4);
    expect(await changeTexts(plane, "&since=2100-01-01T00:00:00Z")).toEqual([]);
    const ids: unknown[] = [];
    let cursor = "";
    for (let pages = 0; pages < 10; pages++) {
      const answer = await plane.call("GET", `/api/changes?limit=3${cursor}`, {
        token: await plane.token("viewer"),
      });
      expect(answer.status).toBe(200);
      const { changes, nextCursor } = Object(answer.body);
      ids.push(...changes.map(({ id }: { id: number }) => id));
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(new Set(ids).size).toBe(4);
    expect(ids).toHaveLength(4);
  });
});

/** A small world: few addresses and ports, so that scans meet. */
const ADDRESSES = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
const PORTS = [22, 80];

interface Round {
  readonly addresses: readonly string[];
  readonly ports: readonly number[];
  readonly openPorts: readonly string[];
  readonly ending: Ending;
  readonly answersClosed: boolean;
}

const round: fc.Arbitrary<Round> = fc.record({
  addresses: fc.subarray(ADDRESSES, { minLength: 1 }),
  ports: fc.subarray(PORTS, { minLength: 1 }),
  openPorts: fc.subarray(ADDRESSES.flatMap((address) => PORTS.map((port) => `${address}:${port}`))),
  ending: fc.constantFrom("complete", "complete", "complete", "partial", "failed", "cancelled"),
  answersClosed: fc.boolean(),
});

/** What is known, said as simply as can be. */
class Model {
  readonly open = new Set<string>();
  private readonly covered = new Set<string>();

  /** Returns the ports that changed. */
  apply({ addresses, ports, openPorts, ending, answersClosed }: Round): string[] {
    const scope = addresses.flatMap((address) => ports.map((port) => `${address}:${port}`));
    const found = scope.filter((endpoint) => openPorts.includes(endpoint));
    const gone = scope.filter((endpoint) => this.open.has(endpoint) && !found.includes(endpoint));
    const isComplete = ending === "complete";
    if (isComplete && found.length === 0 && gone.length > 0 && !answersClosed) return [];
    const changes: string[] = [];
    for (const endpoint of found) {
      if (this.open.has(endpoint)) continue;
      if (this.covered.has(endpoint) || this.wasSeen.has(endpoint)) changes.push(`port_opened ${endpoint}`);
      this.open.add(endpoint);
      this.wasSeen.add(endpoint);
    }
    if (!isComplete) return changes;
    for (const endpoint of gone) {
      this.open.delete(endpoint);
      changes.push(`port_closed ${endpoint}`);
    }
    for (const endpoint of scope) this.covered.add(endpoint);
    return changes;
  }

  private readonly wasSeen = new Set<string>();
}

describeOnSqlite("any sequence of scans", (openTestStore) => {
  test("changes what a simple model says, and nothing that was not covered", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 2, maxLength: 6 }), async (rounds) => {
        const { plane, scanner } = await newPlane(openTestStore);
        const model = new Model();
        let said = 0;
        for (const one of rounds) {
          const found = one.openPorts.flatMap((endpoint) => {
            const [address = "", port = ""] = endpoint.split(":");
            const isInside = one.addresses.includes(address) && one.ports.includes(Number(port));
            return isInside ? [open(address, Number(port))] : [];
          });
          const request = { targets: [...one.addresses], ports: one.ports.join(",") };
          const summary = one.answersClosed ? { closed: 1 } : {};
          await scanOnce(plane, scanner, request, found, one.ending, summary);
          const all = (await changeTexts(plane)).filter((text) => text.startsWith("port_"));
          const now = all.slice(said).map((text) => text.replace(/\/tcp .*/, ""));
          said = all.length;
          expect(now.toSorted()).toEqual(model.apply(one).toSorted());
          const state = (await endpointsOf(plane, "&state=open")).map(
            ({ address, port }) => `${address}:${port}`,
          );
          expect(state.toSorted()).toEqual([...model.open].toSorted());
        }
      }),
      { numRuns: 25 },
    );
  });

  test("the same job compared again changes nothing", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22), open("10.0.0.2", 80)]);
    const scan = await scanOnce(plane, scanner, NET, [open("10.0.0.1", 80)]);
    const before = [await changeTexts(plane), await endpointsOf(plane)];
    const again = [{ job_id: scan.jobs[0]?.id ?? 0, scan_id: scan.id, vantage_id: 1 }];
    await plane.store.run(({ db }) => db.insertInto("ended_jobs").values(again).execute());
    expect(await plane.services.stateChanges.catchUp()).toBeGreaterThan(0);
    expect([await changeTexts(plane), await endpointsOf(plane)]).toEqual(before);
  });

  test("a job of many addresses is compared in parts, each once, whoever goes on", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const wide = { targets: ["10.1.0.0/19"], ports: "80" };
    const hosts = Array.from({ length: 8_192 }, (_, i) => `10.1.${i >> 8}.${i & 255}`);
    const look = async (found: readonly string[]) => {
      const scan = await plane.startScan([scanner], wide);
      const job = await plane.claim(scanner);
      for (let from = 0, batch = 1; from < found.length; from += 500, batch++) {
        const results = found.slice(from, from + 500).map((address) => ({
          address,
          port: 80,
          protocol: "tcp",
          state: "open",
          reason: "syn-ack",
          observedAt: "2026-01-27T10:00:00.000Z",
        }));
        expect((await plane.jobCall(scanner, job, "results", { batch, results })).status).toBe(200);
      }
      const completed = { status: "completed", resultCount: found.length };
      expect((await plane.jobCall(scanner, job, "complete", completed)).status).toBe(200);
      return scan;
    };
    await look(hosts);
    expect(await plane.services.stateChanges.catchUp()).toBeGreaterThan(2);
    const second = await look(hosts.filter((_, i) => i % 4 !== 0));
    // Another replica goes on after the first part.
    const stop = new AbortController();
    const first = plane.services.stateChanges.catchUp(stop.signal);
    stop.abort();
    await first;
    const replica = new TestControlPlane(plane.store);
    await replica.services.stateChanges.catchUp();
    const counts = await plane.store.run(({ db }) =>
      db
        .selectFrom("changes")
        .select((eb) => ["kind", eb.fn.countAll<number>().as("count")])
        .where("scan_id", "=", second.id)
        .groupBy("kind")
        .orderBy("kind")
        .execute(),
    );
    expect(counts).toEqual([
      { kind: "host_vanished", count: 2_048 },
      { kind: "port_closed", count: 2_048 },
    ]);
  });
});

describeOnSqlite("jobs of one scan", (openTestStore) => {
  /** A pool of jobs of one scan and vantage point, as a large network makes them. */
  async function splitScan(
    plane: TestControlPlane,
    scanner: TestScanner,
    parts: readonly string[],
  ): Promise<Job[]> {
    const scan = await plane.startScan([scanner], { targets: [...parts], ports: "80" });
    await plane.store.transaction(async ({ db }) => {
      const job = await db
        .selectFrom("jobs")
        .selectAll()
        .where("scan_id", "=", scan.id)
        .executeTakeFirstOrThrow();
      const { id, ...copied } = job;
      const targetsOf = (part: string) => JSON.stringify([{ addresses: [part], ports: "80" }]);
      await db
        .updateTable("jobs")
        .set({ targets: targetsOf(parts[0] ?? "") })
        .where("id", "=", id)
        .execute();
      for (const part of parts.slice(1)) {
        const { id: added } = await db
          .insertInto("jobs")
          .values({ ...copied, targets: targetsOf(part) })
          .returning("id")
          .executeTakeFirstOrThrow();
        await db.insertInto("job_scanners").values({ job_id: added, scanner_id: scanner.id }).execute();
      }
    });
    return plane.poll(scanner);
  }

  test("an empty one waits for the others, and is believed when one of them found something", async () => {
    const { plane, scanner } = await newPlane(openTestStore);
    const parts = ["10.0.0.1", "10.0.0.2"];
    await scanOnce(
      plane,
      scanner,
      { targets: parts, ports: "80" },
      parts.map((address) => open(address, 80)),
    );
    const [first, second] = await splitScan(plane, scanner, parts);
    if (first === undefined || second === undefined) throw new Error("two jobs were expected");
    await finishJob(plane, scanner, first, []);
    await plane.services.stateChanges.catchUp();
    expect(await changeTexts(plane)).toEqual([]);
    expect(await changesOf(plane, { id: first.scanId })).toMatchObject({ pendingJobs: 1, suspicious: [] });
    await finishJob(plane, scanner, second, [open("10.0.0.2", 80)]);
    await plane.services.stateChanges.catchUp();
    expect(await changeTexts(plane)).toEqual([
      "port_closed 10.0.0.1:80/tcp open>closed",
      "host_vanished 10.0.0.1",
    ]);
  });

  test.each(["complete", "failed"] as const)(
    "are all doubted when none found anything, the last one %s",
    async (ending) => {
      const { plane, scanner } = await newPlane(openTestStore);
      const parts = ["10.0.0.1", "10.0.0.2", "10.0.0.3"];
      await scanOnce(
        plane,
        scanner,
        { targets: parts, ports: "80" },
        parts.map((address) => open(address, 80)),
      );
      const jobs = await splitScan(plane, scanner, parts);
      expect(jobs).toHaveLength(3);
      for (const [i, job] of jobs.entries()) {
        await finishJob(plane, scanner, job, [], i === 2 ? ending : "complete");
        await plane.services.stateChanges.catchUp();
      }
      const scanId = jobs[0]?.scanId ?? 0;
      const { suspicious, pendingJobs } = await changesOf(plane, { id: scanId });
      expect(pendingJobs).toBe(0);
      expect(suspicious).toHaveLength(ending === "complete" ? 3 : 2);
      expect(await changeTexts(plane)).toEqual([]);
    },
  );
});
