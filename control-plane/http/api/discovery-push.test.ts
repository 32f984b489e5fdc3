/** Discovery lists, as scripts push into them. */

import { expect, test } from "bun:test";
import {
  discoveryAddressListSchema,
  discoveryListListSchema,
  discoveryListViewSchema,
  discoveryPushResponseSchema,
  discoveryRemovalSchema,
} from "#shared/protocol/discovery.ts";
import { MAX_ADDRESSES_PER_DISCOVERY_LIST, MAX_ADDRESSES_PER_PUSH } from "#shared/protocol/limits.ts";
import { describeOnBothDatabases, describeOnSqlite } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import { errorOf, TestControlPlane } from "../../testing/control-plane.ts";

const HOUR_MS = 3_600_000;

describeOnBothDatabases("pushing addresses", (openTestStore) => {
  test("makes the list once, and assigns the scanner that it names", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const [first, second] = [await plane.provision("scanner-1"), await plane.provision("scanner-2")];
    const token = await plane.token("operator");
    const ensure = (body: object) => plane.call("POST", "/discovery/lists", { token, body });
    const made = await ensure({ name: "my-list", scannerName: "scanner-1" });
    expect([made.status, made.body]).toMatchObject([201, { scannerIds: [first.id], addresses: 0 }]);
    const again = await ensure({ name: "my-list", scannerName: "scanner-1" });
    expect([again.status, again.body]).toMatchObject([200, { scannerIds: [first.id] }]);
    expect((await ensure({ name: "my-list" })).body).toMatchObject({ scannerIds: [first.id] });
    const both = await ensure({ name: "my-list", scannerName: "scanner-2" });
    expect(both.body).toMatchObject({ scannerIds: [first.id, second.id] });
    const { discoveryLists } = await plane.operate(
      "GET",
      "/api/config/discovery-lists",
      discoveryListListSchema,
    );
    expect(discoveryLists).toHaveLength(1);
  });

  test("adds what is new and notes what is seen again, however it is written", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    const list = await catalogue.discoveryList({ name: "cloud" });
    const first = await catalogue.push("cloud", ["10.0.0.1", "2001:DB8:0::1", "10.0.0.1"]);
    expect(first).toEqual({ added: 2, refreshed: 0, addresses: 2 });
    store.dialect.shiftClock(HOUR_MS);
    const second = await catalogue.push("cloud", ["2001:db8::1", "10.0.0.2"]);
    expect(second).toEqual({ added: 1, refreshed: 1, addresses: 3 });

    const path = `/api/config/discovery-lists/${list.id}`;
    const { ips } = await plane.operate("GET", `${path}/ips`, discoveryAddressListSchema);
    expect(ips.map(({ ip }) => ip)).toEqual(["10.0.0.1", "2001:db8::1", "10.0.0.2"]);
    const ages = ips.map(({ firstSeenAt, lastSeenAt }) => Date.parse(lastSeenAt) - Date.parse(firstSeenAt));
    expect(ages.map((age) => age >= HOUR_MS)).toEqual([false, true, false]);
    const view = await plane.operate("GET", path, discoveryListViewSchema);
    expect(view).toMatchObject({ addresses: 3 });
    expect(Date.parse(view.lastPushAt ?? "")).toBe(Date.parse(ips[2]?.firstSeenAt ?? ""));
  });

  test("prunes what was not pushed for long, and takes single ones out", async () => {
    const store = await openTestStore();
    const plane = new TestControlPlane(store);
    const catalogue = new TestCatalogue(plane);
    await catalogue.discoveryList({ name: "cloud" });
    await catalogue.push("cloud", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    store.dialect.shiftClock(HOUR_MS);
    await catalogue.push("cloud", ["10.0.0.2", "10.0.0.4"]);
    const page = await plane.operate("GET", "/discovery/lists/cloud/ips", discoveryAddressListSchema);
    const [newest = ""] = page.ips
      .map(({ lastSeenAt }) => lastSeenAt)
      .toSorted()
      .toReversed();
    const ips = "/discovery/lists/cloud/ips";
    const inBody = await plane.operate("DELETE", `${ips}/older-than`, discoveryRemovalSchema, {
      olderThan: new Date(Date.parse(newest) - 2 * HOUR_MS).toISOString(),
    });
    expect(inBody).toEqual({ removed: 0, addresses: 4 });
    const pruned = await plane.operate(
      "DELETE",
      `${ips}/older-than?olderThan=${newest}`,
      discoveryRemovalSchema,
    );
    expect(pruned).toEqual({ removed: 2, addresses: 2 });
    const removed = await plane.operate("DELETE", ips, discoveryRemovalSchema, {
      ips: ["10.0.0.2", "10.0.0.99"],
    });
    expect(removed).toEqual({ removed: 1, addresses: 1 });
    const left = await plane.operate("GET", ips, discoveryAddressListSchema);
    expect(left.ips.map(({ ip }) => ip)).toEqual(["10.0.0.4"]);
  });

  test("does the same by id under /api/config/discovery-lists", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { id } = await new TestCatalogue(plane).discoveryList();
    const ips = `/api/config/discovery-lists/${id}/ips`;
    const pushed = await plane.operate("POST", ips, discoveryPushResponseSchema, { ips: ["10.0.0.1"] });
    expect(pushed).toEqual({ added: 1, refreshed: 0, addresses: 1 });
    const olderThan = "2001-01-27T10:00:00.000Z";
    const kept = await plane.operate("DELETE", `${ips}/older-than`, discoveryRemovalSchema, { olderThan });
    expect(kept).toEqual({ removed: 0, addresses: 1 });
    const gone = await plane.operate("DELETE", ips, discoveryRemovalSchema, { ips: ["10.0.0.1"] });
    expect(gone).toEqual({ removed: 1, addresses: 0 });
  });

  test("at the same time counts each address once", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    await catalogue.discoveryList({ name: "cloud" });
    const ips = Array.from({ length: 300 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    const pushes = [ips.slice(0, 200), ips.slice(100), ips.toReversed(), ips.slice(50, 250)];
    const answers = await Promise.all(pushes.map((part) => catalogue.push("cloud", part)));
    expect(answers.reduce((sum, { added }) => sum + added, 0)).toBe(300);
    expect(Math.max(...answers.map(({ addresses }) => addresses))).toBe(300);
  });

  test("needs an operator: neither a viewer nor a scanner nor nobody may", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await new TestCatalogue(plane).discoveryList({ name: "cloud" });
    const scanner = await plane.addScanner("s1");
    const body = { ips: ["10.0.0.1"] };
    const path = "/discovery/lists/cloud/ips";
    const statuses = [
      await plane.call("POST", path, { body, token: await plane.token("viewer") }),
      await plane.call("POST", path, { body, key: scanner.key }),
      await plane.call("POST", path, { body }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([403, 401, 401]);
  });
});

describeOnSqlite("a discovery list", (openTestStore) => {
  test(`holds ${MAX_ADDRESSES_PER_DISCOVERY_LIST} addresses, and a push beyond is refused whole`, async () => {
    const plane = new TestControlPlane(await openTestStore());
    const catalogue = new TestCatalogue(plane);
    await catalogue.discoveryList({ name: "cloud" });
    const address = (i: number) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`;
    for (let from = 0; from < MAX_ADDRESSES_PER_DISCOVERY_LIST; from += MAX_ADDRESSES_PER_PUSH) {
      await catalogue.push(
        "cloud",
        Array.from({ length: MAX_ADDRESSES_PER_PUSH }, (_, i) => address(from + i)),
      );
    }
    const answer = await plane.call("POST", "/discovery/lists/cloud/ips", {
      token: await plane.token("operator"),
      body: { ips: [address(0), address(MAX_ADDRESSES_PER_DISCOVERY_LIST)] },
    });
    expect(errorOf(answer)).toMatchObject({
      code: "LIMIT_REACHED",
      details: { count: MAX_ADDRESSES_PER_DISCOVERY_LIST },
    });
    const refreshed = await catalogue.push("cloud", [address(0)]);
    expect(refreshed).toEqual({ added: 0, refreshed: 1, addresses: MAX_ADDRESSES_PER_DISCOVERY_LIST });
  }, 30_000);
});
