import { afterEach, beforeEach, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROVISIONING_TOKEN_TTL_MS } from "#shared/protocol/limits.ts";
import { describeOnSqlite } from "../../store/testing/stores.ts";
import { errorCode, errorOf, TestControlPlane } from "../../testing/control-plane.ts";

describeOnSqlite("the install script", (openTestStore) => {
  test("comes with server and token filled in, without using the token up", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    for (const headers of [{ Authorization: `Bearer ${token}` }, { "X-Provisioning-Token": token }]) {
      const answer = await plane.call("GET", "/scanner/install", {
        headers: { ...headers, Host: "control.example:8420" },
      });
      expect(answer.status).toBe(200);
      const lines = String(answer.body).split("\n");
      expect(lines[0]).toBe("#!/bin/sh");
      expect(lines).toContain("PORTOLAN_SERVER='http://control.example:8420'");
      expect(lines).toContain(`PORTOLAN_TOKEN='${token}'`);
      expect(lines).not.toContain("# portolan:provisioning");
    }
    const registered = await plane.call("POST", "/scanner/register", {
      body: { token, installId: crypto.randomUUID() },
    });
    expect(registered.status).toBe(200);
    // Whoever lost the answer runs the line again, within the hour.
    expect((await plane.call("GET", "/scanner/install", { token })).status).toBe(200);
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    const late = await plane.call("GET", "/scanner/install", { token });
    expect([late.status, errorCode(late)]).toEqual([401, "INVALID_PROVISIONING_TOKEN"]);
  });

  test("names the public URL where one is configured", async () => {
    const plane = new TestControlPlane(await openTestStore(), {
      url: { publicUrl: "https://portolan.example/x" },
    });
    const { token } = await plane.provision("s1");
    const answer = await plane.call("GET", "/scanner/install", { token });
    expect(String(answer.body)).toContain("PORTOLAN_SERVER='https://portolan.example/x'\n");
  });

  test("is not made for a Host header that is no host", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    const answer = await plane.call("GET", "/scanner/install", { token, headers: { Host: "x'; reboot; '" } });
    expect(errorOf(answer)).toMatchObject({
      code: "INVALID_REQUEST",
      message: "the Host header names no host",
    });
  });

  test("is not given without a token that serves", async () => {
    const plane = new TestControlPlane(await openTestStore());
    const { token } = await plane.provision("s1");
    expect((await plane.call("GET", "/scanner/install")).status).toBe(401);
    expect((await plane.call("GET", "/scanner/install", { token: "ptl_prov_x" })).status).toBe(401);
    plane.store.dialect.shiftClock(PROVISIONING_TOKEN_TTL_MS);
    expect(errorOf(await plane.call("GET", "/scanner/install", { token })).message).toContain("expired");
  });
});

describeOnSqlite("an agent's binary", (openTestStore) => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "portolan-binaries-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const digest = (text: string) => createHash("sha256").update(text).digest("hex");

  test("comes whole, with its digest, and with its signature where there is one", async () => {
    const plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory });
    const { token } = await plane.provision("s1");
    writeFileSync(join(directory, "portolan-agent-linux-arm64"), "arm");
    writeFileSync(join(directory, "portolan-agent"), "own");
    writeFileSync(join(directory, "portolan-agent.sig"), "c2lnbmF0dXJl\n");
    const arm = await plane.call("GET", "/scanner/binary/linux/arm64", { token });
    expect([arm.status, arm.body]).toEqual([200, "arm"]);
    expect(arm.headers.get("x-portolan-sha256")).toBe(digest("arm"));
    expect(arm.headers.get("content-length")).toBe("3");
    expect(arm.headers.has("x-portolan-signature")).toBe(false);
    const own = await plane.call("GET", "/scanner/binary/linux/amd64", {
      headers: { "X-Provisioning-Token": token },
    });
    expect([own.body, own.headers.get("x-portolan-signature")]).toEqual(["own", "c2lnbmF0dXJl"]);
  });

  test("has its digest computed anew when the file has changed", async () => {
    const plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory });
    const { key } = await plane.addScanner("s1");
    const path = join(directory, "portolan-agent-linux-amd64");
    writeFileSync(path, "old");
    utimesSync(path, 1, 1);
    const before = await plane.call("GET", "/scanner/binary/linux/amd64", { key });
    writeFileSync(path, "new");
    utimesSync(path, 2, 2);
    const after = await plane.call("GET", "/scanner/binary/linux/amd64", { key });
    expect([before, after].map(({ headers }) => headers.get("x-portolan-sha256"))).toEqual([
      digest("old"),
      digest("new"),
    ]);
  });

  test("that is not there is 501 with the command that builds it; an unknown target is 400", async () => {
    const plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory });
    const { token } = await plane.provision("s1");
    for (const [arch, buildCommand] of [
      ["amd64", "bun scripts/build.ts --only=agent --target=linux-amd64"],
      [
        "arm64",
        "bun install --cpu=arm64 --os=linux && bun scripts/build.ts --only=agent --target=linux-arm64",
      ],
    ]) {
      const missing = await plane.call("GET", `/scanner/binary/linux/${arch}`, { token });
      expect([missing.status, errorOf(missing)]).toEqual([
        501,
        {
          code: "BINARY_NOT_BUILT",
          message: `there is no agent for linux-${arch} here; build it with: ${buildCommand}`,
          details: { buildCommand },
        },
      ]);
    }
    for (const target of ["plan9/amd64", "linux/mips", "linux/..%2f..%2fetc%2fpasswd"]) {
      const unknown = await plane.call("GET", `/scanner/binary/${target}`, { token });
      expect([unknown.status, errorCode(unknown)]).toEqual([400, "UNKNOWN_PLATFORM"]);
    }
  });

  test("for a platform that no agent runs on is 501 and offers no build", async () => {
    const plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory });
    const { token } = await plane.provision("s1");
    for (const [platform, arch] of [
      ["darwin", "arm64"],
      ["windows", "amd64"],
    ]) {
      const answer = await plane.call("GET", `/scanner/binary/${platform}/${arch}`, { token });
      expect([answer.status, errorOf(answer)]).toEqual([
        501,
        {
          code: "BINARY_NOT_BUILT",
          message: `Portolan has no agent for ${platform}; agents run on linux`,
        },
      ]);
    }
  });

  test("is not given without a credential", async () => {
    const plane = new TestControlPlane(await openTestStore(), { agentBinaries: directory });
    expect(errorCode(await plane.call("GET", "/scanner/binary/linux/amd64"))).toBe(
      "INVALID_PROVISIONING_TOKEN",
    );
    expect(errorCode(await plane.call("GET", "/scanner/binary/linux/amd64", { key: "x" }))).toBe(
      "INVALID_API_KEY",
    );
  });
});
