/** What a template means: a simple model says the same, nothing is too many, and an empty one says why. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { sql } from "kysely";
import { type AddressSet, containsAddress, countAddresses } from "#shared/net/address-set.ts";
import type { PortSet } from "#shared/net/port-spec.ts";
import { rangesContain } from "#shared/net/ranges.ts";
import { scanTemplatePreviewSchema } from "#shared/protocol/scan-templates.ts";
import { subnetBulkResponseSchema } from "#shared/protocol/subnets.ts";
import { LINKS, replaceLinks } from "../store/links.ts";
import type { Session } from "../store/store.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../store/testing/stores.ts";
import { TestCatalogue } from "../testing/catalogue.ts";
import { TestControlPlane } from "../testing/control-plane.ts";
import { resolveTemplate } from "./template-scope.ts";

/** The model has addresses and ports one by one: 10.0.0.0 to 10.0.0.31, ports 1 to 9. */
const HOSTS = Array.from({ length: 32 }, (_, i) => i);
const PORTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const text = (host: number): string => `10.0.0.${host}`;

interface ModelSource {
  readonly hosts: readonly number[];
  readonly rate: number;
  readonly hasScanner: boolean;
  readonly inGroup: boolean;
}

interface ModelSubnet extends ModelSource {
  readonly cidr: string;
  readonly excluded: readonly number[];
}

const who = { rate: fc.nat({ max: 9 }), hasScanner: fc.boolean(), inGroup: fc.boolean() };
const hostList = fc.uniqueArray(fc.constantFrom(...HOSTS), { maxLength: 5 });
const portList = fc.uniqueArray(fc.constantFrom(...PORTS), { maxLength: 4 });

const modelSubnet = fc
  .record({ at: fc.constantFrom(...HOSTS), bits: fc.integer({ min: 0, max: 5 }), excluded: hostList, ...who })
  .map(({ at, bits, excluded, rate, hasScanner, inGroup }): ModelSubnet => {
    const hosts = HOSTS.filter((host) => host >> bits === at >> bits && !excluded.includes(host));
    return { cidr: `${text(at)}/${32 - bits}`, excluded, hosts, rate, hasScanner, inGroup };
  })
  .filter(({ hosts }) => hosts.length > 0);

const model = fc
  .record({
    subnets: fc.array(modelSubnet, { maxLength: 3 }),
    lists: fc.array(fc.record({ hosts: hostList, ...who }), { maxLength: 2 }),
    ports: fc.array(
      fc
        .record({ tcp: portList, udp: portList, rate: fc.nat({ max: 9 }) })
        .filter(({ tcp, udp }) => tcp.length + udp.length > 0),
      { minLength: 1, maxLength: 2 },
    ),
    protocol: fc.constantFrom("tcp", "udp", "both"),
  })
  .filter(({ subnets, lists }) => subnets.length + lists.length > 0);

function hostsIn(set: AddressSet): number[] {
  return HOSTS.filter((host) => containsAddress(set, { family: 4, value: 0x0a00_0000 + host }));
}

function portsIn({ tcp, udp }: PortSet) {
  const within = (ranges: PortSet["tcp"]) => PORTS.filter((port) => rangesContain(ranges, port));
  return { tcp: within(tcp), udp: within(udp) };
}

const ascending = (numbers: readonly number[]): number[] => numbers.toSorted((a, b) => a - b);

describeOnBothDatabases("a template", (openTestStore) => {
  test("is each of its sources that is assigned with each of its port lists, as a simple model has it", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("direct");
    const members = [(await plane.provision("member-1")).id, (await plane.provision("member-2")).id];
    const { id: group } = await catalogue.group(members);
    const assigned = ({ rate, hasScanner, inGroup }: ModelSource) => ({
      rateLimit: rate,
      scannerIds: hasScanner ? [scanner] : [],
      groupIds: inGroup ? [group] : [],
    });
    await fc.assert(
      fc.asyncProperty(model, async ({ subnets, lists, ports, protocol }) => {
        const subnetIds = [];
        for (const subnet of subnets) {
          const exclusions = subnet.excluded.map(text);
          const made = await catalogue.subnet(subnet.cidr, { exclusions, ...assigned(subnet) });
          expect(made.hosts).toBe(subnet.hosts.length);
          subnetIds.push(made.id);
        }
        const discoveryListIds = [];
        for (const list of lists) {
          const made = await catalogue.discoveryList(assigned(list));
          if (list.hosts.length > 0) await catalogue.push(made.name, list.hosts.map(text));
          discoveryListIds.push(made.id);
        }
        const portListIds = [];
        for (const { tcp, udp, rate } of ports) {
          const spec = [...tcp.map(String), ...udp.map((port) => `${port}/udp`)].join(",");
          portListIds.push((await catalogue.portList(spec, { rateLimit: rate })).id);
        }
        const template = await catalogue.template({ subnetIds, discoveryListIds, portListIds, protocol });

        const sources: readonly ModelSource[] = [...subnets, ...lists];
        const scanned = ports.map(({ tcp, udp, rate }) => ({
          tcp: protocol === "udp" ? [] : ascending(tcp),
          udp: protocol === "tcp" ? [] : ascending(udp),
          rate,
        }));
        const wanted = sources
          .filter(({ hosts, hasScanner, inGroup }) => hosts.length > 0 && (hasScanner || inGroup))
          .flatMap((source) =>
            scanned
              .filter(({ tcp, udp }) => tcp.length + udp.length > 0)
              .map(({ tcp, udp, rate }) => ({
                hosts: ascending(source.hosts),
                ports: { tcp, udp },
                subnetRatePps: source.rate,
                portListRatePps: rate,
                scannerIds: source.hasScanner ? [scanner] : [],
                groups: source.inGroup ? [{ id: group, scannerIds: members }] : [],
              })),
          );
        const resolved = store.run((session) => resolveTemplate(session, template.id));
        if (wanted.length === 0) await expect(resolved).rejects.toMatchObject({ code: "TEMPLATE_EMPTY" });
        else {
          const { parts } = await resolved;
          expect(
            parts.map(({ addresses, ports: set, subnetRatePps, portListRatePps, scannerIds, groups }) => ({
              hosts: hostsIn(addresses),
              ports: portsIn(set),
              subnetRatePps,
              portListRatePps,
              scannerIds,
              groups,
            })),
          ).toEqual(wanted);
        }
        const hosts = new Set(sources.flatMap((source) => source.hosts)).size;
        const count = (of: "tcp" | "udp") => new Set(scanned.flatMap((list) => list[of])).size;
        const portCount = count("tcp") + count("udp");
        expect(template).toMatchObject({ hosts, ports: portCount, probes: hosts * portCount });
        const preview = await plane.operate(
          "POST",
          `/api/config/scan-templates/${template.id}/preview`,
          scanTemplatePreviewSchema,
        );
        expect(preview).toMatchObject({
          hosts,
          ports: portCount,
          estimatedSeconds: template.estimatedSeconds,
          runnable: wanted.length > 0,
          sourceCount: sources.length,
          unassignedCount: sources.filter(({ hasScanner, inGroup }) => !hasScanner && !inGroup).length,
        });
        expect(preview.sources.map(({ vantages }) => vantages)).toEqual(
          sources.map(({ hasScanner, inGroup }) => (hasScanner ? 1 : 0) + (inGroup ? members.length : 0)),
        );
      }),
      { numRuns: 15 },
    );
  }, 60_000);

  test("of 50,000 subnets is resolved, and counts each address once", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1", { rateLimit: 1_000 });
    const subnets = Array.from({ length: 50_000 }, (_, i) => ({
      name: `net-${i}`,
      // Every second one is the half of the one before.
      cidr: `10.${i >> 8}.${i & 254}.0/${24 + (i % 2)}`,
      scannerIds: [scanner],
    }));
    const path = "/api/config/subnets/bulk";
    await plane.operate("POST", path, subnetBulkResponseSchema, { subnets });
    const { id: portListId } = await catalogue.portList("22,80");
    const template = await catalogue.template({
      subnetIds: subnets.map((_, i) => i + 1),
      portListIds: [portListId],
    });
    const probes = 25_000 * 256 * 2;
    expect(template).toMatchObject({ subnets: 50_000, hosts: 25_000 * 256, probes });
    // The scanner's own limit covers all that it scans, the overlaps included.
    expect(template.estimatedSeconds).toBe((probes * 1.5) / 1_000);
    const { parts } = await store.run((session) => resolveTemplate(session, template.id));
    expect(parts).toHaveLength(50_000);
    expect(parts.reduce((sum, { addresses }) => sum + countAddresses(addresses), 0)).toBe(25_000 * 384);
  }, 60_000);
});

describeOnSqlite("a template with nothing to scan", (openTestStore) => {
  test("is refused with TEMPLATE_EMPTY, saying what is missing", async () => {
    const store = await openTestStore();
    const catalogue = new TestCatalogue(new TestControlPlane(store));
    const subnet = await catalogue.subnet("10.0.0.0/30", { name: "lonely" });
    const list = await catalogue.discoveryList();
    const ports = await catalogue.portList("53/udp");
    const resolve = async (more: object) => {
      const { id } = await catalogue.template({ portListIds: [ports.id], ...more });
      return store.run((session) => resolveTemplate(session, id));
    };
    await expect(resolve({ subnetIds: [subnet.id] })).rejects.toMatchObject({
      code: "TEMPLATE_EMPTY",
      message: "template 'template-4' has nothing to scan: no scanner is assigned to subnet 'lonely'",
      details: { unassigned: [{ kind: "subnet", id: subnet.id, name: "lonely" }] },
    });
    await expect(resolve({ subnetIds: [subnet.id], discoveryListIds: [list.id] })).rejects.toThrow(
      "no scanner is assigned to subnet 'lonely' and 1 more",
    );
    await expect(store.run((session) => resolveTemplate(session, 99))).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
  });

  test("of its protocol says so", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1");
    const subnet = await catalogue.subnet("10.0.0.0/30", { scannerIds: [scanner] });
    const ports = await catalogue.portList("53/udp");
    const template = await catalogue.template({
      subnetIds: [subnet.id],
      portListIds: [ports.id],
      protocol: "tcp",
    });
    expect(template).toMatchObject({ hosts: 4, ports: 0, probes: 0 });
    await expect(store.run((session) => resolveTemplate(session, template.id))).rejects.toThrow(
      "hold nothing for its protocol",
    );
  });
});

const MAX_TURNS = 5_000;

/** Whether a transaction of this PostgreSQL database waits for an advisory lock. */
async function isSomeoneWaiting({ db }: Session): Promise<boolean> {
  const { rows } = await sql`select 1 from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`.execute(db);
  return rows.length > 0;
}

describeOnBothDatabases("a scan that begins while its template is changed", (openTestStore) => {
  test("waits for the end of the change, so that it never has some of each", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const { id: scanner } = await plane.provision("s1");
    const before = await catalogue.subnet("10.0.0.0/30", { scannerIds: [scanner] });
    const after = await catalogue.subnet("10.0.1.0/30", { scannerIds: [scanner] });
    const ports = await catalogue.portList("22");
    const { id } = await catalogue.template({ subnetIds: [before.id], portListIds: [ports.id] });
    const resolving = await store.transaction(async (session) => {
      await session.dialect.holdLock(session.db, "catalogue");
      await replaceLinks(session, LINKS.templateSubnets, id, [after.id]);
      const begun = store.transaction((other) => resolveTemplate(other, id));
      const ended = begun.then(() => true);
      // On SQLite it waits for the one connection.
      for (let turn = 0; store.dialect.kind === "postgres" && turn < MAX_TURNS; turn++) {
        if (await Promise.race([ended, isSomeoneWaiting(session)])) break;
      }
      return { begun };
    });
    const { parts } = await resolving.begun;
    expect(parts.map(({ source }) => source.id)).toEqual([after.id]);
  });
});
