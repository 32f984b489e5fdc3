import { expect, test } from "bun:test";
import { auditListSchema, auditVerificationSchema } from "#shared/protocol/administration.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import { TestControlPlane } from "../../testing/control-plane.ts";

describeOnBothDatabases("the audit log", (openTestStore) => {
  test("has a row for each state change, newest first", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const scanner = await plane.addScanner("s1", { bindingMode: "ip" });
    await plane.call("POST", "/scanner/heartbeat", { key: scanner.key, body: {} });
    const scan = await plane.startScan([scanner]);
    const token = await plane.token("admin");
    const config = `/api/config/scanners/${scanner.id}`;
    await plane.call("POST", `/api/scans/${scan.id}/cancel`, { token });
    await plane.call("PUT", config, { token, body: { rateLimit: 5 } });
    for (const action of ["disable", "enable", "release-binding", "regenerate-token"]) {
      await plane.call("POST", `${config}/${action}`, { token });
    }
    await plane.call("PATCH", config, { token, body: { bindingMode: "none" } });
    await plane.call("DELETE", config, { token });
    const { entries, nextCursor } = await plane.operate("GET", "/api/audit", auditListSchema);
    expect(entries.map(({ action }) => action).toReversed()).toEqual([
      "token.created",
      "scanner.created",
      "scanner.registered",
      "scanner.bound",
      "scan.created",
      "scan.cancel-requested",
      "scanner.updated",
      "scanner.disabled",
      "scanner.enabled",
      "scanner.binding-released",
      "scanner.token-regenerated",
      "scanner.binding-changed",
      "scanner.deleted",
    ]);
    expect(nextCursor).toBeNull();
    expect(entries.at(-5)).toMatchObject({
      actor: "operator:test-admin",
      object: `scan:${scan.id}`,
      detail: { scannerIds: [scanner.id] },
    });
  });

  test("is whole after changes at the same time", async () => {
    const plane = new TestControlPlane(await openTestStore());
    await plane.token("admin");
    await Promise.all(Array.from({ length: 12 }, (_, i) => plane.provision(`s${i}`)));
    const verified = await plane.operate("GET", "/api/audit/verify", auditVerificationSchema);
    expect(verified).toEqual({ ok: true, rowsChecked: 13, violations: [] });
  });

  test("shows a row that was changed, and one that was removed", async () => {
    const plane = new TestControlPlane(await openTestStore());
    for (const name of ["s1", "s2", "s3", "s4"]) await plane.provision(name);
    const verify = () => plane.operate("GET", "/api/audit/verify", auditVerificationSchema);
    await plane.store.run(({ db }) =>
      db.updateTable("audit").set({ actor: "nobody" }).where("id", "=", 2).execute(),
    );
    expect(await verify()).toEqual({ ok: false, rowsChecked: 5, violations: [{ id: 2, kind: "row_hash" }] });
    await plane.store.run(({ db }) => db.deleteFrom("audit").where("id", "=", 2).execute());
    expect(await verify()).toEqual({ ok: false, rowsChecked: 4, violations: [{ id: 3, kind: "prev_hash" }] });
  });
});
