/** The file between two halves of a scan: read back as it was written, and refused where it is anything else. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import {
  MAX_RESUME_FILE_BYTES,
  readResumeFile,
  type ResumedScan,
  resumeFileName,
  writeResumeFile,
} from "./resume-file.ts";
import { requireSameScope } from "./resumed-scope.ts";

const { tcp, udp } = parsePorts("22,80-443,U:53");

const SCAN: ResumedScan = {
  scope: {
    addresses: parseTargets(["10.0.0.0/24", "10.0.2.1-10.0.2.9", "2001:db8::/120"]),
    find: "ports",
    tcpPorts: tcp,
    udpPorts: udp,
    retries: 2,
    seed: 123_456_789_012_345,
    shard: { index: 1, count: 3 },
  },
  flags: { rate: "auto", sourceIp: ["10.0.0.9"], show: "all" },
  point: {
    window: 3,
    pass: 2,
    lanePositions: [17, 0],
    answered: Uint8Array.of(0, 1, 254, 255),
    kept: [3, 1, 4],
    refused: 5,
    withheld: 2,
  },
};

let folder: string;
let path: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-resume-"));
  path = join(folder, "scan.resume.json");
});

beforeEach(async () => {
  await writeResumeFile(path, SCAN, 0);
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("reads back what was written", async () => {
  expect(await readResumeFile(path)).toEqual(SCAN);
});

test("a scan for hosts", async () => {
  const scan: ResumedScan = {
    scope: { ...SCAN.scope, find: "hosts", tcpPorts: [], udpPorts: [] },
    flags: {},
    point: SCAN.point,
  };
  await writeResumeFile(path, scan, 0);
  expect(await readResumeFile(path)).toEqual(scan);
});

test("is for its owner only, replaces the one before, and leaves nothing else", async () => {
  await writeResumeFile(path, SCAN, 1);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["scan.resume.json"]);
});

test("nothing is left behind where it cannot be written", async () => {
  const taken = join(folder, "taken");
  await Bun.write(join(taken, "file"), "");
  await expect(writeResumeFile(taken, SCAN, 0)).rejects.toThrow();
  expect(readdirSync(folder).toSorted()).toEqual(["scan.resume.json", "taken"]);
  rmSync(taken, { recursive: true });
});

test("names sort by time", () => {
  expect(resumeFileName(Date.parse("2026-01-27T10:30:05.678Z"))).toBe(
    "portolan-20260127T103005Z.resume.json",
  );
});

test("only flags that may differ are kept", async () => {
  const flags = { rate: "5", ports: "80", seed: "1", output: "x", sourceIp: ["::1"] };
  await writeResumeFile(path, { ...SCAN, flags }, 0);
  expect((await readResumeFile(path)).flags).toEqual({ rate: "5", sourceIp: ["::1"] });
});

describe("refuses", () => {
  const part = (name: string, change: object): [string, string, unknown] => [
    `${name} ${JSON.stringify(change)}`,
    name,
    change,
  ];

  test.each([
    part("scan", { targets: "10.0.0.0/33" }),
    part("scan", { targets: "example.org" }),
    part("scan", { targets: "" }),
    part("scan", { targets: ["10.0.0.1"] }),
    part("scan", { ports: "0" }),
    part("scan", { ports: "" }),
    part("scan", { find: "hosts" }),
    part("scan", { seed: -1 }),
    part("scan", { seed: 2 ** 53 }),
    part("scan", { retries: 99 }),
    part("scan", { shard: { index: 3, count: 3 } }),
    part("scan", { more: 1 }),
    part("flags", { rate: 5 }),
    part("flags", { output: "/etc/passwd" }),
    part("point", { pass: 4 }),
    part("point", { pass: 0 }),
    part("point", { lanePositions: [] }),
    part("point", { lanePositions: [-1] }),
    part("point", { lanePositions: [0.5] }),
    part("point", { answered: "no base64!" }),
    part("point", { kept: ["1"] }),
    part("point", { kept: [-1] }),
    part("point", { window: -1 }),
    part("point", { withheld: 1.5 }),
    part("point", { refused: undefined }),
  ])("%s", async (_name, section, change) => {
    const content = JSON.parse(await Bun.file(path).text());
    Object.assign(content[section], change);
    await Bun.write(path, JSON.stringify(content));
    await expect(readResumeFile(path)).rejects.toMatchObject({ name: "UsageError" });
  });

  test.each([
    ["what is no JSON", "{", "no JSON"],
    ["another file", "{}", "kind"],
    ["another version", JSON.stringify({ kind: "portolan-resume", version: 2 }), "version"],
  ])("%s", async (_what, text, named) => {
    await Bun.write(path, text);
    await expect(readResumeFile(path)).rejects.toThrow(named);
    await expect(readResumeFile(path)).rejects.toThrow(path);
  });

  test("a file that is not there", async () => {
    await expect(readResumeFile(join(folder, "none"))).rejects.toMatchObject({ code: "FILE_NOT_READABLE" });
  });

  test("a file too large to be one, unread", async () => {
    const large = join(folder, "large");
    await Bun.write(large, "");
    truncateSync(large, MAX_RESUME_FILE_BYTES + 1);
    await expect(readResumeFile(large)).rejects.toThrow("too large");
    unlinkSync(large);
  });
});

describe("what is said again must be the same", () => {
  const { scope } = SCAN;

  test("nothing, or the same", () => {
    expect(() => requireSameScope(scope, undefined, {})).not.toThrow();
    expect(() =>
      requireSameScope(
        scope,
        parseTargets(["2001:db8::/120", "10.0.2.1-9", "10.0.0.0/25", "10.0.0.128/25"]),
        {
          ports: "443,80-442,22,53/udp",
          retries: "2",
          seed: String(scope.seed),
          shard: "2/3",
          rate: "5",
        },
      ),
    ).not.toThrow();
  });

  test.each([
    ["the targets", ["10.0.0.0/24"], {}],
    ["the ports", undefined, { ports: "22" }],
    ["the ports", undefined, { topPorts: "10" }],
    ["--only-discover", undefined, { onlyDiscover: true }],
    ["--retries", undefined, { retries: "1" }],
    ["--seed", undefined, { seed: "1" }],
    ["--shard", undefined, { seed: "1", shard: "1/3" }],
  ])("%s", (named, targets, flags) => {
    const addresses = targets === undefined ? undefined : parseTargets(targets);
    const seed = named === "--shard" ? { seed: String(scope.seed) } : {};
    expect(() => requireSameScope(scope, addresses, { ...flags, ...seed })).toThrow(named);
  });
});
