import { expect, test } from "bun:test";
import { cloudflareItemsSchema, scannerAclSchema } from "#shared/protocol/scanner-acl.ts";
import { scannerViewSchema } from "#shared/protocol/operator.ts";
import type { Store } from "../../store/store.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, TestControlPlane } from "../../testing/control-plane.ts";

const PATH = "/api/admin/scanner-acl";

async function planeWithScanners(store: Store): Promise<TestControlPlane> {
  const plane = new TestControlPlane(store, { settingDefaults: { publicUrl: "https://portolan.example" } });
  await plane.provision("v4", { bindingMode: "ip", bindingValue: "203.0.113.5" });
  await plane.provision("v6", { bindingMode: "subnet", bindingValue: "2001:db8::5" });
  await plane.provision("wide", { bindingMode: "subnet", bindingValue: "198.51.100.9/25" });
  await plane.provision("free");
  await plane.provision("unbound", { bindingMode: "ip" });
  const off = await plane.provision("off", { bindingMode: "ip", bindingValue: "192.0.2.66" });
  await plane.operate("POST", `/api/config/scanners/${off.id}/disable`, scannerViewSchema);
  return plane;
}

async function text(plane: TestControlPlane, format: string): Promise<string> {
  const answer = await plane.call("GET", `${PATH}?format=${format}`, { token: await plane.token("admin") });
  expect(answer.headers.get("content-type")).toStartWith("text/plain");
  return String(answer.body);
}

describeOnSqlite("the scanners' addresses for firewalls", (openTestStore) => {
  test("as JSON: the bound ones, and those that no rule can be written for", async () => {
    const plane = await planeWithScanners(await openTestStore());
    const acl = await plane.operate("GET", PATH, scannerAclSchema);
    expect(acl.allowed.map(({ name, network, family }) => [name, network, family])).toEqual([
      ["v4", "203.0.113.5/32", 4],
      ["v6", "2001:db8::/64", 6],
      ["wide", "198.51.100.0/25", 4],
    ]);
    expect(acl.unlisted.map(({ name, bindingMode }) => [name, bindingMode])).toEqual([
      ["free", "none"],
      ["unbound", "ip"],
    ]);
  });

  test("for nginx", async () => {
    const plane = await planeWithScanners(await openTestStore());
    expect(await text(plane, "nginx")).toBe(
      [
        "# For `location /scanner/`: from where scanners may call.",
        "# not here, as its binding names no network: free (none)",
        "# not here, as its binding names no network: unbound (ip)",
        "allow 203.0.113.5; # v4",
        "allow 2001:db8::/64; # v6",
        "allow 198.51.100.0/25; # wide",
        "deny all;",
        "",
      ].join("\n"),
    );
  });

  test("for iptables, and ip6tables for IPv6", async () => {
    const plane = await planeWithScanners(await openTestStore());
    const rules = (await text(plane, "iptables")).split("\n").filter((line) => /^[^#]/.test(line));
    const rest = (name: string) => `-m comment --comment portolan:${name} -j ACCEPT`;
    expect(rules).toEqual([
      `iptables -A INPUT -p tcp --dport 443 -s 203.0.113.5/32 ${rest("v4")}`,
      `ip6tables -A INPUT -p tcp --dport 443 -s 2001:db8::/64 ${rest("v6")}`,
      `iptables -A INPUT -p tcp --dport 443 -s 198.51.100.0/25 ${rest("wide")}`,
    ]);
  });

  test("for Cloudflare, as the items of an IP list", async () => {
    const plane = await planeWithScanners(await openTestStore());
    expect(await plane.operate("GET", `${PATH}?format=cloudflare`, cloudflareItemsSchema)).toEqual([
      { ip: "203.0.113.5", comment: "portolan:v4" },
      { ip: "2001:db8::/64", comment: "portolan:v6" },
      { ip: "198.51.100.0/25", comment: "portolan:wide" },
    ]);
  });

  test("hold nothing that anybody could run, even where the database was changed by hand", async () => {
    const plane = await planeWithScanners(await openTestStore());
    const evil = "x;\n$(reboot) `reboot` -j DROP #";
    await plane.store.run(({ db }) =>
      db
        .updateTable("scanners")
        .set((eb) => ({ name: eb.fn<string>("concat", [eb.val(evil), "id"]) }))
        .execute(),
    );
    await plane.store.run(({ db }) =>
      db.updateTable("scanners").set({ binding_value: "0.0.0.0/0; reboot" }).where("id", "=", 1).execute(),
    );
    for (const format of ["nginx", "iptables"]) {
      const lines = (await text(plane, format)).split("\n");
      for (const line of lines.filter((line) => !line.startsWith("#"))) {
        expect(line).toMatch(
          /^(?:allow [0-9a-f.:/]+; # [A-Za-z0-9-]+|deny all;|ip6?tables [A-Za-z0-9 .:/-]+|)$/,
        );
        expect(line).not.toContain("0.0.0.0/0");
      }
      expect(lines.filter((line) => line.startsWith("#")).join("")).not.toMatch(/[$`;\n]reboot/);
    }
  });

  test("are the admins', and come in four formats", async () => {
    const plane = new TestControlPlane(await openTestStore());
    expect(errorCode(await plane.call("GET", PATH, { token: await plane.token("operator") }))).toBe(
      "FORBIDDEN",
    );
    const wrong = await plane.call("GET", `${PATH}?format=pf`, { token: await plane.token("admin") });
    expect([wrong.status, errorCode(wrong)]).toEqual([400, "INVALID_REQUEST"]);
  });
});
