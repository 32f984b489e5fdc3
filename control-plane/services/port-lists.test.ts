/** Port lists: what is stored means what was written. */

import { expect, setDefaultTimeout, test } from "bun:test";
import * as fc from "fast-check";
import { sql } from "kysely";
import { countPorts, formatPorts, parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { z } from "zod";
import { portListViewSchema } from "#shared/protocol/port-lists.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../store/testing/stores.ts";
import { TestCatalogue } from "../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../testing/control-plane.ts";

// Many cases, on a machine that may be busy.
setDefaultTimeout(60_000);

const port = fc.integer({ min: 1, max: 65_535 });
const range = fc.tuple(port, port).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
const word = fc
  .tuple(
    fc.constantFrom("", "", "!"),
    fc.constantFrom("", "", "T:", "U:"),
    fc.oneof(port.map(String), range, fc.constantFrom("https", "domain", "SSH")),
    fc.constantFrom("", "", "/tcp", "/udp"),
  )
  .map((parts) => parts.join(""));
const spec = fc.array(word, { minLength: 1, maxLength: 10 }).map((words) => words.join(","));

function parsed(text: string): PortSet | undefined {
  try {
    return parsePorts(text);
  } catch {
    return undefined;
  }
}

describeOnBothDatabases("a port list", (openTestStore) => {
  test("is kept as written, read back as the same ports, or refused and not kept", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const token = await plane.token("operator");
    const count = async () => {
      const { rows } = await store.run(({ db }) =>
        sql<{ count: number }>`select count(*) as count from port_lists`.execute(db),
      );
      return rows[0]?.count;
    };
    let made = 0;
    await fc.assert(
      fc.asyncProperty(spec, async (text) => {
        const body = { name: `list ${made}`, spec: text };
        const answer = await plane.call("POST", "/api/config/port-lists", { token, body });
        const ports = parsed(text);
        if (ports === undefined || countPorts(ports) > 65_535) {
          expect(errorOf(answer).code).toBe(ports === undefined ? "INVALID_PORT" : "LIMIT_REACHED");
          expect(await count()).toBe(made);
          return;
        }
        made++;
        const { id } = portListViewSchema.parse(answer.body);
        const view = await plane.operate("GET", `/api/config/port-lists/${id}`, portListViewSchema);
        expect(view).toMatchObject({ spec: text, canonical: formatPorts(ports), ports: countPorts(ports) });
        expect(parsePorts(view.canonical)).toEqual(ports);
      }),
      { numRuns: 60 },
    );
  }, 30_000);
});

describeOnSqlite("a port list", (openTestStore) => {
  test("holds 65,535 ports, all of one protocol or some of both", async () => {
    const catalogue = new TestCatalogue(new TestControlPlane(await openTestStore()));
    expect((await catalogue.portList("1-65535")).ports).toBe(65_535);
    expect((await catalogue.portList("1-65534,U:1")).ports).toBe(65_535);
    const singles = Array.from({ length: 65_535 }, (_, i) => i + 1).join(",");
    expect(await catalogue.portList(singles)).toMatchObject({ ports: 65_535, canonical: "1-65535" });
  });

  test("is listed without its texts", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await new TestCatalogue(plane).portList("22");
    const schema = z.object({ portLists: z.array(z.record(z.string(), z.unknown())) });
    const { portLists } = await plane.operate("GET", "/api/config/port-lists", schema);
    expect(portLists.map((list) => "spec" in list || "canonical" in list)).toEqual([false]);
  });
});
