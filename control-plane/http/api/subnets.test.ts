/** Subnets: how networks are read, who is assigned, and many at once. */

import { expect, test } from "bun:test";
import { subnetBulkResponseSchema, subnetListSchema, subnetViewSchema } from "#shared/protocol/subnets.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/config/subnets";

describeOnSqlite("a subnet", (openTestStore) => {
  test.each([
    ["10.0.0.0/16", "10.0.0.0/16", 65_536],
    ["10.0.0.77/24", "10.0.0.0/24", 256],
    ["192.0.2.1", "192.0.2.1/32", 1],
    ["0.0.0.0/0", "0.0.0.0/0", 2 ** 32 - 2 ** 24 - 2 ** 29],
    ["2001:DB8:0::1", "2001:db8::1/128", 1],
    ["2001:db8::ff/112", "2001:db8::/112", 65_536],
    ["2001:db8::/80", "2001:db8::/80", 2 ** 48],
  ])("%s is %s with %d addresses to probe", async (written, cidr, hosts) => {
    const catalogue = new TestCatalogue(new TestControlPlane(await openTestStore()));
    expect(await catalogue.subnet(written)).toMatchObject({ cidr, hosts });
  });

  test("leaves out what is excluded, however it is written, and counts what is left", async () => {
    const catalogue = new TestCatalogue(new TestControlPlane(await openTestStore()));
    const exclusions = ["10.0.0.0/28", "10.0.0.10-20", "10.0.0.200-10.0.0.209", "2001:db8::/64"];
    const subnet = await catalogue.subnet("10.0.0.0/24", { exclusions });
    expect(subnet).toMatchObject({ exclusions, hosts: 256 - 21 - 10 });
  });
});

describeOnBothDatabases("assigning scanners and groups", (openTestStore) => {
  test("keeps each once, and only of what is given something else", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    const [first, second] = [(await plane.provision("s1")).id, (await plane.provision("s2")).id];
    const group = await catalogue.group([first, second, first]);
    expect(group.scannerIds).toEqual([first, second]);
    const subnet = await catalogue.subnet("10.0.0.0/24", {
      scannerIds: [second, first, second],
      groupIds: [group.id],
    });
    expect(subnet).toMatchObject({ scannerIds: [first, second], groupIds: [group.id] });
    const path = `${PATH}/${subnet.id}`;
    const changed = await plane.operate("PATCH", path, subnetViewSchema, { scannerIds: [second] });
    expect(changed).toMatchObject({ scannerIds: [second], groupIds: [group.id] });
    await plane.operate("PATCH", path, subnetViewSchema, { groupIds: [] });
    const { subnets } = await plane.operate("GET", PATH, subnetListSchema);
    expect(subnets).toMatchObject([{ scannerIds: [second], groupIds: [] }]);
  });

  test("of many at once gives each its own, or stores none of them", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id: scanner } = await plane.provision("s1");
    const many = (scannerIds: (i: number) => number[]) =>
      Array.from({ length: 2_500 }, (_, i) => ({
        name: `n${i}`,
        cidr: "10.0.0.0/30",
        scannerIds: scannerIds(i),
      }));
    const token = await plane.token("operator");
    const wrong = await plane.call("POST", `${PATH}/bulk`, {
      token,
      body: { subnets: many((i) => (i === 2_400 ? [99] : [scanner])) },
    });
    expect(errorOf(wrong)).toMatchObject({ code: "INVALID_REQUEST", details: { token: "99" } });
    const subnets = many((i) => (i % 2 === 0 ? [scanner] : []));
    await plane.operate("POST", `${PATH}/bulk`, subnetBulkResponseSchema, { subnets });
    const page = await plane.operate("GET", `${PATH}?limit=1000&cursor=1500`, subnetListSchema);
    const assigned = page.subnets.filter(({ scannerIds }) => scannerIds.includes(scanner));
    expect(assigned.map(({ name }) => Number(name.slice(1)) % 2)).toEqual(
      Array.from({ length: assigned.length }, () => 0),
    );
    expect(assigned.length).toBe(page.subnets.length / 2);
  });
});
