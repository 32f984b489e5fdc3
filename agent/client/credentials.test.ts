/** Credentials on disk: for their owner only, whole or absent, and plain about being broken. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Credentials, installId, readCredentials, writeCredentials } from "./credentials.ts";

const CREDENTIALS: Credentials = {
  server: "https://control.example",
  scannerId: 3,
  name: "probe-1",
  apiKey: "ptl_key_secret",
};

let stateDir = "";

beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "portolan-state-"));
});

afterEach(() => {
  rmSync(stateDir, { recursive: true, force: true });
});

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

describe("credentials", () => {
  test("are read as they were written", async () => {
    await writeCredentials(stateDir, CREDENTIALS);
    expect(readCredentials(stateDir)).toEqual(CREDENTIALS);
  });

  test("are not there on a host that was never enrolled", () => {
    expect(readCredentials(stateDir)).toBeUndefined();
    expect(readCredentials(join(stateDir, "nowhere"))).toBeUndefined();
  });

  test("can be read by their owner only, whatever stood there before, and nothing is left beside them", async () => {
    const path = join(stateDir, "credentials.json");
    writeFileSync(path, "{}", { mode: 0o644 });
    chmodSync(path, 0o644);
    await writeCredentials(stateDir, CREDENTIALS);
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(stateDir)).toEqual(["credentials.json"]);
  });

  test("get a directory for their owner only, where there is none", async () => {
    const deep = join(stateDir, "a", "b");
    await writeCredentials(deep, CREDENTIALS);
    expect(modeOf(deep)).toBe(0o700);
  });

  test.each([
    ["no JSON", "{"],
    ["empty", ""],
    ["a key missing", JSON.stringify({ ...CREDENTIALS, apiKey: undefined })],
    ["an empty key", JSON.stringify({ ...CREDENTIALS, apiKey: "" })],
  ])("that are broken (%s) are named, with what to do, and without the secret", (_name, text) => {
    writeFileSync(join(stateDir, "credentials.json"), text);
    expect(() => readCredentials(stateDir)).toThrow(
      expect.objectContaining({
        code: "CREDENTIALS_BROKEN",
        message: `cannot use ${join(stateDir, "credentials.json")}; enroll this host again`,
      }),
    );
  });

  test("that cannot be written say where", async () => {
    const file = join(stateDir, "a-file");
    writeFileSync(file, "");
    await expect(writeCredentials(join(file, "state"), CREDENTIALS)).rejects.toMatchObject({
      code: "STATE_NOT_WRITABLE",
    });
  });
});

describe("installId", () => {
  test("is made once and kept, for its owner only", async () => {
    const first = await installId(stateDir);
    expect(first).toMatch(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(await installId(stateDir)).toBe(first);
    expect(modeOf(join(stateDir, "install-id"))).toBe(0o600);
  });

  test("is another on another host", async () => {
    expect(await installId(join(stateDir, "a"))).not.toBe(await installId(join(stateDir, "b")));
  });

  test("is made anew where the file is spoiled", async () => {
    writeFileSync(join(stateDir, "install-id"), "not an id\n");
    const id = await installId(stateDir);
    expect(id).not.toContain("not");
    expect(await installId(stateDir)).toBe(id);
  });
});
