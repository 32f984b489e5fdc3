import { expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import { z } from "zod";
import {
  type Difference,
  diffSchema,
  verdictListSchema,
  type VerdictView,
} from "#shared/protocol/comparisons.ts";
import { resultViewSchema } from "#shared/protocol/operator.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";
import { type Found, scanOnce } from "../../testing/scan-round.ts";

setDefaultTimeout(60_000);

const NET = { targets: ["10.0.0.1-10.0.0.3"], ports: "22,80,443" };

const open = (address: string, port: number, more: Partial<Found> = {}): Found => ({
  address,
  port,
  ...more,
});

async function get(plane: TestControlPlane, path: string) {
  return plane.call("GET", path, { token: await plane.token("viewer") });
}

async function diff(plane: TestControlPlane, a: number, b: number, query = ""): Promise<Difference[]> {
  const all: Difference[] = [];
  let cursor = "";
  for (let pages = 0; pages < 100; pages++) {
    const path = `/api/scans/${a}/diff?with=${b}${query}${cursor}`;
    const { differences, nextCursor } = await plane.operate("GET", path, diffSchema);
    all.push(...differences);
    if (nextCursor === null) return all;
    cursor = `&cursor=${nextCursor}`;
  }
  throw new Error("the pages do not end");
}

const inShort = ({ kind, address, port }: Difference): string => `${kind} ${address}:${port}`;

describeOnBothDatabases("the difference of two scans", (openTestStore) => {
  test("says what opened, closed, changed, and what one of them did not look at", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const first = await scanOnce(plane, scanner, NET, [
      open("10.0.0.1", 22, { service: "ssh", product: "OpenSSH", version: "9.1" }),
      open("10.0.0.1", 80),
      open("10.0.0.3", 443),
    ]);
    const second = await scanOnce(plane, scanner, { targets: ["10.0.0.1-10.0.0.2"], ports: "22,80,443" }, [
      open("10.0.0.1", 22, { service: "ssh", product: "OpenSSH", version: "9.2" }),
      open("10.0.0.2", 443),
    ]);
    expect((await diff(plane, first.id, second.id)).map(inShort)).toEqual([
      "service_changed 10.0.0.1:22",
      "closed 10.0.0.1:80",
      "opened 10.0.0.2:443",
      "not_covered 10.0.0.3:443",
    ]);
    const [changed, closed, , unseen] = await diff(plane, first.id, second.id);
    expect(changed).toMatchObject({ vantage: `scanner:${scanner.id}`, to: { version: "9.2" } });
    expect(closed).toMatchObject({ from: { state: "open" }, to: { state: null, covered: true } });
    expect(unseen).toMatchObject({ from: { covered: true }, to: { state: null, covered: false } });
    expect((await diff(plane, first.id, second.id, "&limit=1")).map(inShort)).toHaveLength(4);
    expect(await diff(plane, first.id, first.id)).toEqual([]);
  });

  test("compares vantage points where they are named, or where each scan has one", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [one, two] = [await plane.addScanner("s1"), await plane.addScanner("s2")];
    const first = await scanOnce(plane, one, NET, [open("10.0.0.1", 22)]);
    const second = await scanOnce(plane, two, NET, [open("10.0.0.1", 80)]);
    const expected = ["closed 10.0.0.1:22", "opened 10.0.0.1:80"];
    expect((await diff(plane, first.id, second.id)).map(inShort)).toEqual(expected);
    const named = `&vantage=scanner:${one.id}&withVantage=scanner:${two.id}`;
    expect((await diff(plane, first.id, second.id, named)).map(inShort)).toEqual(expected);
    const wrong = await get(plane, `/api/scans/${first.id}/diff?with=${second.id}&vantage=scanner:99`);
    expect(errorOf(wrong)).toMatchObject({ code: "NOT_FOUND" });
    const both = await plane.startScan([one, two], NET);
    const third = await plane.addScanner("s3");
    const other = await scanOnce(plane, third, NET, []);
    const unlike = await get(plane, `/api/scans/${both.id}/diff?with=${other.id}`);
    expect([unlike.status, errorOf(unlike).code]).toEqual([409, "CONFLICT"]);
    expect((await get(plane, `/api/scans/${first.id}/diff?with=999`)).status).toBe(404);
  });

  test("as CSV is whole, and nothing in it is a formula", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const first = await scanOnce(plane, scanner, NET, [open("10.0.0.1", 80)]);
    const hostile = open("10.0.0.2", 80, { service: "=cmd()", product: 'a "quoted", one' });
    const second = await scanOnce(plane, scanner, NET, [open("10.0.0.1", 80), hostile]);
    const answer = await get(plane, `/api/scans/${first.id}/diff?with=${second.id}&format=csv`);
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(String(answer.body).split("\r\n")).toEqual([
      "vantage,withVantage,address,port,protocol,kind,fromState,fromService,fromProduct,fromVersion,toState,toService,toProduct,toVersion",
      `scanner:${scanner.id},scanner:${scanner.id},10.0.0.2,80,tcp,opened,not reported,,,,open,'=cmd(),"a ""quoted"", one",`,
      "",
    ]);
    expect((await get(plane, `/api/scans/999/diff?with=${second.id}&format=csv`)).status).toBe(404);
  });
});

describeOnSqlite("the difference of any two scans", (openTestStore) => {
  const endpoint = fc.constantFrom(
    ...["10.0.0.1", "10.0.0.2"].flatMap((address) => [22, 80].map((port) => ({ address, port }))),
  );
  const scanned = fc.record({
    targets: fc.constantFrom<string[]>(["10.0.0.1"], ["10.0.0.2"], ["10.0.0.1", "10.0.0.2"]),
    found: fc.uniqueArray(endpoint, { selector: ({ address, port }) => `${address}:${port}` }),
  });

  test("is what comparing them port by port says, in pages of any size", async () => {
    await fc.assert(
      fc.asyncProperty(scanned, scanned, fc.integer({ min: 1, max: 3 }), async (a, b, limit) => {
        const plane = new TestControlPlane(await openTestStore());
        const scanner = await plane.addScanner("s1");
        const scans = [];
        for (const { targets, found } of [a, b]) {
          const inside = found.filter(({ address }) => targets.includes(address));
          const results = inside.map(({ address, port }) => open(address, port));
          scans.push(await scanOnce(plane, scanner, { targets, ports: "22,80" }, results));
        }
        const isOpen = ({ targets, found }: typeof a, address: string, port: number): boolean =>
          targets.includes(address) && found.some((one) => one.address === address && one.port === port);
        const expected = ["10.0.0.1", "10.0.0.2"].flatMap((address) =>
          [22, 80].flatMap((port) => {
            const [was, is] = [isOpen(a, address, port), isOpen(b, address, port)];
            if (was === is) return [];
            const covered = (was ? b : a).targets.includes(address);
            // A job that found nothing where there was something is not believed.
            const believed = !was || b.found.some((one) => b.targets.includes(one.address)) || !covered;
            return [`${covered && believed ? (is ? "opened" : "closed") : "not_covered"} ${address}:${port}`];
          }),
        );
        const differences = await diff(plane, scans[0]?.id ?? 0, scans[1]?.id ?? 0, `&limit=${limit}`);
        expect(differences.map(inShort)).toEqual(expected);
      }),
      { numRuns: 25 },
    );
  });
});

describeOnBothDatabases("verdicts", (openTestStore) => {
  test("say of each expectation how it was met, and what nobody expected", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const found = [open("10.0.0.1", 22), open("10.0.0.1", 80), open("10.0.0.2", 443)];
    const scan = await scanOnce(plane, scanner, NET, found);
    const verdicts = async (query = "") => {
      const answer = await plane.operate(
        "GET",
        `/api/scans/${scan.id}/verdicts?limit=1000${query}`,
        verdictListSchema,
      );
      return { ...answer, short: answer.verdicts.map(verdictText) };
    };
    expect(await verdicts()).toMatchObject({ verdicts: [], nextCursor: null });
    const expected = [
      { address: "10.0.0.1", protocol: "tcp", port: 22, state: "open" },
      { address: "10.0.0.1", protocol: "tcp", port: 443, state: "closed" },
      { address: "10.0.0.1", protocol: "tcp", port: 80, state: "closed" },
      { address: "10.0.0.3", protocol: "tcp", port: 22, state: "open" },
      { address: "10.9.9.9", protocol: "udp", port: 53, state: "open" },
    ];
    await plane.store.run(({ db }) =>
      db
        .updateTable("scans")
        .set({ expected: JSON.stringify(expected) })
        .where("id", "=", scan.id)
        .execute(),
    );
    expect((await verdicts()).short).toEqual([
      "pass 10.0.0.1:22 open=open",
      "fail 10.0.0.1:80 closed=open",
      "pass 10.0.0.1:443 closed=null",
      "unexpected 10.0.0.2:443 null=open",
      "fail 10.0.0.3:22 open=null",
      "unknown 10.9.9.9:53 open=null",
    ]);
    expect((await verdicts()).counts).toEqual({ pass: 2, fail: 2, unexpected: 1, unknown: 1 });
    for (const [verdict, count] of Object.entries({ pass: 2, fail: 2, unexpected: 1, unknown: 1 })) {
      expect((await verdicts(`&verdict=${verdict}`)).verdicts).toHaveLength(count);
    }
    const first = await plane.operate("GET", `/api/scans/${scan.id}/verdicts?limit=3`, verdictListSchema);
    const rest = (await verdicts(`&cursor=${first.nextCursor}`)).short;
    expect([first.verdicts.length, rest.length, rest[0]]).toEqual([
      3,
      3,
      "unexpected 10.0.0.2:443 null=open",
    ]);
  });

  test("are unknown where the scan was cut short", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await scanOnce(plane, scanner, NET, [open("10.0.0.1", 22)], "partial");
    const expected = [22, 80].map((port) => ({ address: "10.0.0.1", protocol: "tcp", port, state: "open" }));
    await plane.store.run(({ db }) =>
      db
        .updateTable("scans")
        .set({ expected: JSON.stringify(expected) })
        .where("id", "=", scan.id)
        .execute(),
    );
    const { counts } = await plane.operate("GET", `/api/scans/${scan.id}/verdicts`, verdictListSchema);
    expect(counts).toEqual({ pass: 1, fail: 0, unexpected: 0, unknown: 1 });
  });
});

function verdictText({ verdict, address, port, expected, observed }: VerdictView): string {
  return `${verdict} ${address}:${port} ${expected}=${observed}`;
}

describeOnBothDatabases("exports", (openTestStore) => {
  async function exported(format: string): Promise<string> {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1");
    const scan = await scanOnce(
      plane,
      scanner,
      { targets: ["10.0.0.1-10.0.0.2", "2001:db8::1"], ports: "22,80,U:53" },
      [
        open("10.0.0.1", 22, { service: "ssh", product: "=1+1", banner: "<b>\u0000\u001B]]>&\"'" }),
        open("10.0.0.2", 80, { state: "closed", reason: "reset" }),
        open("2001:db8::1", 53, { protocol: "udp", state: "filtered", reason: "no-response" }),
      ],
    );
    const answer = await get(plane, `/api/scans/${scan.id}/export?format=${format}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="scan-${scan.id}.${format}"`,
    );
    return String(answer.body);
  }

  test("as NDJSON have a result a line", async () => {
    const lines = (await exported("ndjson")).trimEnd().split("\n");
    const schema = resultViewSchema.omit({ id: true }).extend({ type: z.literal("port") });
    const results = lines.map((line) => schema.parse(JSON.parse(line)));
    expect(results.map(({ address, port, state }) => `${address} ${port} ${state}`)).toEqual([
      "10.0.0.1 22 open",
      "10.0.0.2 80 closed",
      "2001:db8::1 53 filtered",
    ]);
  });

  test("as CSV hold no formulas and no line breaks", async () => {
    const [header, first, ...rest] = (await exported("csv")).split("\r\n");
    expect(header).toStartWith("vantage,address,port,protocol,state,");
    expect(first).toContain(",10.0.0.1,22,tcp,open,syn-ack,,ssh,'=1+1,,,");
    expect(rest).toHaveLength(3);
  });

  test("as XML are valid by nmap's own definition", async () => {
    const dtd = "/usr/share/nmap/nmap.dtd";
    if (Bun.which("xmllint") === null || !(await Bun.file(dtd).exists())) {
      throw new Error("this test needs xmllint and nmap: apt-get install -y libxml2-utils nmap");
    }
    const { stdout, stderr, exitCode } = Bun.spawnSync(
      ["xmllint", "--nonet", "--noout", "--dtdvalid", dtd, "-"],
      {
        stdin: new TextEncoder().encode(await exported("xml")),
      },
    );
    expect({ output: stdout.toString() + stderr.toString(), exitCode }).toEqual({ output: "", exitCode: 0 });
  });

  test("of a scan without results are whole, and of no scan are none", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scan = await scanOnce(plane, await plane.addScanner("s1"), NET, []);
    expect(await get(plane, `/api/scans/${scan.id}/export`)).toMatchObject({ status: 200, body: "" });
    expect((await get(plane, `/api/scans/${scan.id}/export?format=xml`)).body).toEndWith("</nmaprun>\n");
    expect((await get(plane, "/api/scans/999/export?format=csv")).status).toBe(404);
    expect((await get(plane, `/api/scans/${scan.id}/export?format=pdf`)).status).toBe(400);
  });
});
