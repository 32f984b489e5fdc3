/** Every row of mipo's page "Scanners", each by its own words: inputs, columns, how-tos, gotchas, API calls. */

import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bindingViewSchema } from "#shared/protocol/administration.ts";
import { MAX_DESCRIPTION_LENGTH, OFFLINE_AFTER_MS } from "#shared/protocol/limits.ts";
import {
  bindingModeSchema,
  type ScannerCreateResponse,
  scannerCreateResponseSchema,
  scannerListSchema,
  type ScannerView,
  scannerViewSchema,
  scanViewSchema,
} from "#shared/protocol/operator.ts";
import { binaryHashesSchema, scannerFilterValuesSchema } from "#shared/protocol/scanner-config.ts";
import { registerResponseSchema } from "#shared/protocol/scanner.ts";
import { AsnDatabase } from "../../services/asn-database.ts";
import { describeOnBothDatabases } from "../../store/testing/stores.ts";
import { TestCatalogue } from "../../testing/catalogue.ts";
import {
  type Answer,
  errorCode,
  errorOf,
  TestControlPlane,
  type TestScanner,
} from "../../testing/control-plane.ts";
import { mmdbFile } from "../../testing/mmdb.ts";
import { Log } from "#shared/log.ts";

const PATH = "/api/config/scanners";

describeOnBothDatabases("mipo's page 'Scanners'", (openTestStore) => {
  let plane: TestControlPlane;
  let directory: string;
  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "portolan-scanners-"));
    const file = join(directory, "asn.mmdb");
    writeFileSync(file, mmdbFile({ "192.0.2.0/24": 64_500, "203.0.113.0/24": 64_501 }));
    const silent = new Log(
      () => {},
      "ERROR",
      () => 0,
    );
    const asnDatabase = await AsnDatabase.open(file, silent);
    plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory, asnDatabase });
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const create = (body: object): Promise<ScannerCreateResponse> =>
    plane.operate("POST", PATH, scannerCreateResponseSchema, body);
  const refused = async (body: object): Promise<string> => {
    const answer = await plane.call("POST", PATH, { token: await plane.token("operator"), body });
    expect(answer.status).toBeWithin(400, 500);
    return errorOf(answer).message;
  };
  const view = (id: number): Promise<ScannerView> => plane.operate("GET", `${PATH}/${id}`, scannerViewSchema);
  const act = (id: number, action: string): Promise<ScannerView> =>
    plane.operate("POST", `${PATH}/${id}/${action}`, scannerViewSchema);
  const heartbeat = (key: string, from = "192.0.2.1"): Promise<Answer> =>
    plane.call("POST", "/scanner/heartbeat", { key, from, body: {} });

  // Inputs

  test("Input 'Name': alphanumeric and hyphens only, must be unique", async () => {
    expect((await create({ name: "Fra-1-a" })).scanner.name).toBe("Fra-1-a");
    for (const name of ["", "under_score", "a b", "ä", "a.b", "x'; drop table scanners; --", "<script>"]) {
      expect(await refused({ name })).toContain("name");
    }
    expect(await refused({ name: "Fra-1-a" })).toContain("there is a scanner named 'Fra-1-a' already");
    expect((await plane.operate("GET", PATH, scannerListSchema)).scanners.length).toBe(1);
  });

  test("Input 'Description': any text, max 10,000 characters, empty by default", async () => {
    expect(MAX_DESCRIPTION_LENGTH).toBe(10_000);
    expect((await create({ name: "a" })).scanner.description).toBe("");
    const description = `<script>alert(1)</script> '; drop table scanners; -- ${"ä".repeat(9_000)}`;
    const { scanner } = await create({ name: "b", description });
    expect((await view(scanner.id)).description).toBe(description);
    expect((await create({ name: "c", description: "x".repeat(10_000) })).scanner.description.length).toBe(
      10_000,
    );
    expect(await refused({ name: "d", description: "x".repeat(10_001) })).toContain("description");
  });

  test("Input 'Binding Mode': ip, subnet, asn, or none, which is the default", async () => {
    expect(new Set(bindingModeSchema.options)).toEqual(new Set(["ip", "subnet", "asn", "none"]));
    expect((await create({ name: "default" })).scanner.binding.mode).toBe("none");
    for (const bindingMode of bindingModeSchema.options) {
      const { scanner } = await create({ name: bindingMode, bindingMode });
      expect(scanner.binding).toEqual({ mode: bindingMode, value: null, mismatchCount: 0 });
    }
    expect(await refused({ name: "x", bindingMode: "mac" })).toContain("bindingMode");
  });

  test("Input 'Rate Limit': integer 0–100,000, 0 (unlimited) by default", async () => {
    expect((await create({ name: "default" })).scanner.rateLimit).toBe(0);
    expect((await create({ name: "most", rateLimit: 100_000 })).scanner.rateLimit).toBe(100_000);
    for (const rateLimit of [-1, 100_001, 1.5, "10", null]) {
      expect(await refused({ name: "wrong", rateLimit })).toContain("rateLimit");
    }
  });

  // Fields & columns

  test("Columns 'Name', 'Description' and 'Rate Limit': editable inline, each by itself", async () => {
    const { scanner } = await create({ name: "old", description: "first", rateLimit: 5 });
    const edit = (body: object) => plane.operate("PUT", `${PATH}/${scanner.id}`, scannerViewSchema, body);
    expect(await edit({ name: "new" })).toMatchObject({ name: "new", description: "first", rateLimit: 5 });
    expect(await edit({ description: "" })).toMatchObject({ name: "new", description: "", rateLimit: 5 });
    expect(await edit({ rateLimit: 0 })).toMatchObject({ name: "new", description: "", rateLimit: 0 });
  });

  test("Column 'Status': pending, active, offline (no heartbeat for 2+ min), or disabled", async () => {
    const { id } = await plane.provision("pending");
    expect((await view(id)).status).toBe("pending");
    const scanner = await plane.addScanner("s1");
    await heartbeat(scanner.key);
    expect((await view(scanner.id)).status).toBe("active");
    expect(OFFLINE_AFTER_MS).toBe(120_000);
    plane.store.dialect.shiftClock(119_000);
    expect((await view(scanner.id)).status).toBe("active");
    plane.store.dialect.shiftClock(1_000);
    expect((await view(scanner.id)).status).toBe("offline");
    expect((await act(scanner.id, "disable")).status).toBe("disabled");
  });

  test("Column 'Binding': IP/subnet/ASN restriction, and the count of mismatches", async () => {
    const scanner = await plane.addScanner("s1", { bindingMode: "ip", bindingValue: "192.0.2.1" });
    for (let i = 0; i < 3; i++) await heartbeat(scanner.key, "203.0.113.5");
    expect((await view(scanner.id)).binding).toEqual({ mode: "ip", value: "192.0.2.1", mismatchCount: 3 });
  });

  test("Columns 'Created By' and 'Created': who provisioned this scanner, and when", async () => {
    const { scanner } = await create({ name: "s1" });
    expect(scanner.createdBy).toBe("operator:test-admin");
    expect(scanner.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  // How to

  test("How to 'Provision a New Scanner': name, one-time curl command, pending to active by its first heartbeat", async () => {
    const { scanner, provisioning } = await create({ name: "s1" });
    expect(scanner.status).toBe("pending");
    expect(provisioning.installCommand).toMatch(/^curl .* \| sudo sh$/);
    expect(provisioning.installCommand).toContain(provisioning.token);
    const script = await plane.call("GET", "/scanner/install", { token: provisioning.token });
    expect(String(script.body)).toStartWith("#!/bin/sh");
    const body = { token: provisioning.token, installId: crypto.randomUUID() };
    const registered = await plane.call("POST", "/scanner/register", { body });
    await heartbeat(registerResponseSchema.parse(registered.body).apiKey);
    expect((await view(scanner.id)).status).toBe("active");
    const again = { ...body, installId: crypto.randomUUID() };
    expect(errorCode(await plane.call("POST", "/scanner/register", { body: again }))).toBe(
      "INVALID_PROVISIONING_TOKEN",
    );
  });

  test.each([
    ["ip", "192.0.2.1", "192.0.2.1", "192.0.2.2"],
    ["subnet", "192.0.2.0/28", "192.0.2.15", "192.0.2.16"],
    ["asn", "AS64500", "192.0.2.200", "203.0.113.5"],
  ])(
    "How to 'Configure IP Binding': mode %s, value %s; connections from non-matching IPs are flagged",
    async (bindingMode, bindingValue, good, bad) => {
      const scanner = await plane.addScanner("s1");
      await plane.operate("PATCH", `${PATH}/${scanner.id}`, scannerViewSchema, { bindingMode, bindingValue });
      expect((await heartbeat(scanner.key, good)).status).toBe(200);
      expect(errorCode(await heartbeat(scanner.key, bad))).toBe("IP_BINDING_VIOLATION");
      expect((await view(scanner.id)).binding).toEqual({
        mode: bindingModeSchema.parse(bindingMode),
        value: bindingValue,
        mismatchCount: 1,
      });
    },
  );

  test("How to 'Configure IP Binding': mode asn without a value binds to the system of the first contact", async () => {
    const scanner = await plane.addScanner("s1", { bindingMode: "asn" });
    expect(errorCode(await heartbeat(scanner.key, "10.0.0.1"))).toBe("IP_BINDING_VIOLATION");
    expect((await heartbeat(scanner.key, "203.0.113.5")).status).toBe(200);
    expect((await view(scanner.id)).binding.value).toBe("AS64501");
    expect((await heartbeat(scanner.key, "203.0.113.99")).status).toBe(200);
    expect((await heartbeat(scanner.key, "192.0.2.1")).status).toBe(403);
  });

  test("How to 'Configure IP Binding': mode asn lets nobody in where the database was taken away", async () => {
    const scanner = await plane.addScanner("s1", { bindingMode: "asn", bindingValue: "64500" });
    const without = new TestControlPlane(plane.store);
    const answer = await without.call("POST", "/scanner/heartbeat", { key: scanner.key, body: {} });
    expect(errorCode(answer)).toBe("IP_BINDING_VIOLATION");
  });

  test("How to 'Troubleshoot an offline scanner': the record says when it was last heard, and why it was refused", async () => {
    const scanner = await plane.addScanner("s1");
    await heartbeat(scanner.key);
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    await act(scanner.id, "disable");
    await heartbeat(scanner.key, "203.0.113.5");
    const { lastHeartbeatAt, lastAuthError } = await view(scanner.id);
    expect(lastHeartbeatAt).not.toBeNull();
    expect(lastAuthError).toMatchObject({ code: "SCANNER_DISABLED", address: "203.0.113.5" });
    await act(scanner.id, "enable");
    const path = `${PATH}/${scanner.id}/regenerate-token`;
    await plane.operate("POST", path, scannerCreateResponseSchema);
    expect(errorOf(await heartbeat(scanner.key)).message).toContain("the API key was replaced");
    expect((await view(scanner.id)).lastAuthError).toMatchObject({ code: "INVALID_API_KEY" });
  });

  // Gotchas

  test("Gotcha: regenerating a token invalidates the previous one; the scanner must be re-provisioned", async () => {
    const scanner = await plane.addScanner("s1");
    const regenerate = () =>
      plane.operate("POST", `${PATH}/${scanner.id}/regenerate-token`, scannerCreateResponseSchema);
    const first = await regenerate();
    const second = await regenerate();
    expect((await heartbeat(scanner.key)).status).toBe(401);
    const register = (token: string) =>
      plane.call("POST", "/scanner/register", { body: { token, installId: crypto.randomUUID() } });
    expect(errorOf(await register(first.provisioning.token)).message).toContain("was replaced");
    const { apiKey } = registerResponseSchema.parse((await register(second.provisioning.token)).body);
    expect((await heartbeat(apiKey)).status).toBe(200);
  });

  test("Gotcha: disabling a scanner prevents new scan assignments but does not kill in-progress scans", async () => {
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    await act(scanner.id, "disable");
    const scan = { scannerIds: [scanner.id], targets: ["10.0.0.1"], ports: "22" };
    const token = await plane.token("operator");
    expect(errorCode(await plane.call("POST", "/api/scans", { token, body: scan }))).toBe("CONFLICT");
    expect(errorCode(await plane.call("GET", "/scanner/jobs", { key: scanner.key }))).toBe(
      "SCANNER_DISABLED",
    );
    expect((await plane.jobCall(scanner, job, "start")).body).toMatchObject({ ok: true, cancel: false });
    const end = { status: "completed", resultCount: 0 };
    expect((await plane.jobCall(scanner, job, "complete", end)).status).toBe(200);
  });

  test("Gotcha: a scanner marked Offline has simply missed heartbeats; it may still be running", async () => {
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const job = await plane.claim(scanner);
    plane.store.dialect.shiftClock(OFFLINE_AFTER_MS);
    expect((await view(scanner.id)).status).toBe("offline");
    expect((await plane.jobCall(scanner, job, "start")).status).toBe(200);
    await heartbeat(scanner.key);
    expect((await view(scanner.id)).status).toBe("active");
  });

  test("Gotcha: rate limits interact: the lowest non-zero wins, a subnet's rate is divided equally in a group", async () => {
    const catalogue = new TestCatalogue(plane);
    const scanners = [await plane.addScanner("free"), await plane.addScanner("slow", { rateLimit: 100 })];
    const group = await catalogue.group(scanners.map(({ id }) => id));
    const subnet = await catalogue.subnet("10.0.0.0/30", { groupIds: [group.id], rateLimit: 600 });
    const ports = await catalogue.portList("22");
    const slowPorts = await catalogue.portList("80", { rateLimit: 50 });
    const ratesWith = async (portListId: number): Promise<number[]> => {
      const template = await catalogue.template({ subnetIds: [subnet.id], portListIds: [portListId] });
      await plane.operate("POST", `/api/config/scan-templates/${template.id}/run`, scanViewSchema, {});
      const rates = [];
      for (const scanner of scanners) rates.push(await finish(plane, scanner));
      return rates;
    };
    expect(await ratesWith(ports.id)).toEqual([300, 100]);
    expect(await ratesWith(slowPorts.id)).toEqual([50, 50]);
  });

  // API calls

  test("API call 'GET /api/config/scanners': list all scanners", async () => {
    await plane.provision("b");
    await plane.provision("a");
    const { scanners } = await plane.operate("GET", PATH, scannerListSchema);
    expect(scanners.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("API calls 'POST /api/config/scanners' and 'GET /api/config/scanners/:id': create, get single", async () => {
    const { scanner } = await create({ name: "s1", rateLimit: 7 });
    expect(await view(scanner.id)).toEqual(scanner);
    const token = await plane.token("viewer");
    expect(errorCode(await plane.call("GET", `${PATH}/999`, { token }))).toBe("NOT_FOUND");
  });

  test("API call 'PUT /api/config/scanners/:id': update scanner name or description", async () => {
    const { scanner } = await create({ name: "s1" });
    const body = { name: "s2", description: "moved" };
    expect(await plane.operate("PUT", `${PATH}/${scanner.id}`, scannerViewSchema, body)).toMatchObject(body);
  });

  test("API calls 'PATCH /api/config/scanners/:id' and 'GET …/:id/binding': update and get the binding", async () => {
    const { scanner } = await create({ name: "s1" });
    const body = { bindingMode: "asn", bindingValue: "64500" };
    await plane.operate("PATCH", `${PATH}/${scanner.id}`, scannerViewSchema, body);
    const binding = await plane.operate("GET", `${PATH}/${scanner.id}/binding`, bindingViewSchema);
    expect(binding).toMatchObject({ scannerId: scanner.id, mode: "asn", value: "AS64500", mismatchCount: 0 });
  });

  test("API call 'DELETE /api/config/scanners/:id': delete a scanner and revoke its access", async () => {
    const scanner = await plane.addScanner("s1");
    const token = await plane.token("operator");
    expect((await plane.call("DELETE", `${PATH}/${scanner.id}`, { token })).status).toBe(204);
    expect((await heartbeat(scanner.key)).status).toBe(401);
    expect((await plane.operate("GET", PATH, scannerListSchema)).scanners).toEqual([]);
  });

  test("API call 'POST …/:id/release-binding': release scanner IP binding", async () => {
    const scanner = await plane.addScanner("s1", { bindingMode: "ip" });
    await heartbeat(scanner.key, "192.0.2.1");
    await heartbeat(scanner.key, "192.0.2.2");
    expect((await view(scanner.id)).binding).toMatchObject({ value: "192.0.2.1", mismatchCount: 1 });
    const released = await act(scanner.id, "release-binding");
    expect(released.binding).toEqual({ mode: "ip", value: null, mismatchCount: 0 });
    expect((await heartbeat(scanner.key, "192.0.2.2")).status).toBe(200);
  });

  test("API calls 'POST …/:id/disable' and 'POST …/:id/enable'", async () => {
    const scanner = await plane.addScanner("s1");
    expect((await act(scanner.id, "disable")).status).toBe("disabled");
    expect((await act(scanner.id, "enable")).status).toBe("active");
  });

  test("API call 'POST …/:id/regenerate-token': regenerate provisioning token", async () => {
    const { id, token } = await plane.provision("s1");
    const renewed = await plane.operate(
      "POST",
      `${PATH}/${id}/regenerate-token`,
      scannerCreateResponseSchema,
    );
    expect(renewed.provisioning.token).toMatch(/^ptl_prov_/);
    expect(renewed.provisioning.token).not.toBe(token);
  });

  test("API call 'GET …/binary-hash': get the current scanner binary hash", async () => {
    writeFileSync(join(directory, "portolan-agent-linux-arm64"), "arm");
    writeFileSync(join(directory, "portolan-agent-linux-arm64.sig"), "c2ln");
    const { version, binaries } = await plane.operate("GET", `${PATH}/binary-hash`, binaryHashesSchema);
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(binaries).toEqual([
      {
        platform: "linux",
        arch: "amd64",
        available: false,
        sha256: null,
        sizeBytes: null,
        signed: false,
        buildCommand: "bun scripts/build.ts --only=agent --target=linux-amd64",
      },
      {
        platform: "linux",
        arch: "arm64",
        available: true,
        sha256: createHash("sha256").update("arm").digest("hex"),
        sizeBytes: 3,
        signed: true,
        buildCommand: null,
      },
    ]);
  });

  test("API call 'GET …/install-script-preview': preview the scanner install script", async () => {
    const { token } = await plane.provision("s1");
    const served = await plane.call("GET", "/scanner/install", { token });
    const preview = await plane.call("GET", `${PATH}/install-script-preview`, {
      token: await plane.token("viewer"),
    });
    expect(preview.headers.get("content-type")).toStartWith("text/plain");
    expect(preview.body).toBe(String(served.body).replace(token, "ptl_prov_…"));
  });

  test("API call 'GET …/source-code': get scanner source code for review", async () => {
    const token = await plane.token("viewer");
    const missing = await plane.call("GET", `${PATH}/source-code`, { token });
    expect([missing.status, errorOf(missing)]).toMatchObject([
      501,
      { code: "BINARY_NOT_BUILT", details: { buildCommand: "bun scripts/build.ts --only=source" } },
    ]);
    writeFileSync(join(directory, "portolan-source.tar.gz"), "archive");
    const answer = await plane.call("GET", `${PATH}/source-code`, { token });
    expect([answer.status, answer.body]).toEqual([200, "archive"]);
    expect(answer.headers.get("content-type")).toBe("application/gzip");
    expect(answer.headers.get("content-disposition")).toContain("portolan-source.tar.gz");
    expect(answer.headers.get("x-portolan-sha256")).toBe(
      createHash("sha256").update("archive").digest("hex"),
    );
  });

  test("API call 'GET …/filter-values': get available filter values for the scanners table", async () => {
    await plane.provision("s1", { bindingMode: "subnet" });
    const values = await plane.operate("GET", `${PATH}/filter-values`, scannerFilterValuesSchema);
    expect(values).toEqual({
      names: ["s1"],
      statuses: ["pending"],
      bindingModes: ["subnet"],
      createdBy: ["operator:test-admin"],
      versions: [],
    });
  });
});

/** Claims the scanner's one job and ends it. @returns its rate */
async function finish(plane: TestControlPlane, scanner: TestScanner): Promise<number> {
  const job = await plane.claim(scanner);
  await plane.jobCall(scanner, job, "complete", { status: "completed", resultCount: 0 });
  return job.maxProbesPerSecond;
}
