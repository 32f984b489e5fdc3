/** The words of `scan`: what they mean, and that every wrong one is named. */

import { describe, expect, test } from "bun:test";
import { PortolanError } from "#shared/errors.ts";
import type { PortState } from "#shared/protocol/fields.ts";
import type { ScanRequest } from "../engine/plan.ts";
import { type ScanOptions, scanRequest } from "./scan-options.ts";

const OPTIONS: ScanOptions = {
  ports: "22,80-81",
  rate: "1000",
  exclude: [],
  retries: "1",
  portTimeout: "1500",
  link: "auto",
  show: "open",
};

function request(options: Partial<ScanOptions>, targets: readonly string[] = ["10.0.0.0/30"]): ScanRequest {
  return scanRequest(targets, { ...OPTIONS, ...options });
}

describe("scanRequest", () => {
  test("puts it all together", () => {
    expect(request({ seed: "5", maxRuntime: "1.5" })).toEqual({
      addresses: [{ first: 0x0a00_0000, last: 0x0a00_0003 }],
      ports: [
        { first: 22, last: 22 },
        { first: 80, last: 81 },
      ],
      ratePps: 1_000,
      retries: 1,
      portTimeoutMs: 1_500,
      maxRuntimeMs: 1_500,
      link: "auto",
      seed: 5,
      report: ["open"],
    });
  });

  test("takes away what is excluded and what must never be probed", () => {
    const { addresses } = request({ exclude: ["10.0.0.1", "10.0.0.3"] }, ["10.0.0.0-4", "224.0.0.0/4"]);
    expect(addresses).toEqual([
      { first: 0x0a00_0000, last: 0x0a00_0000 },
      { first: 0x0a00_0002, last: 0x0a00_0002 },
      { first: 0x0a00_0004, last: 0x0a00_0004 },
    ]);
  });

  test("draws a seed where none is given", () => {
    const seeds = [request({}).seed, request({}).seed];
    for (const seed of seeds) {
      expect(seed).toBeWithin(0, 2 ** 48);
      expect(seed).toBeInteger();
    }
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  test.each([
    ["max", 0],
    ["0.1", 0.1],
    ["10000000", 10_000_000],
  ])("--rate %s", (rate, ratePps) => {
    expect(request({ rate }).ratePps).toBe(ratePps);
  });

  const SHOWN: readonly (readonly [string, readonly PortState[]])[] = [
    ["all", ["open", "closed", "filtered"]],
    ["closed", ["closed"]],
    ["filtered,open", ["filtered", "open"]],
  ];

  test.each(SHOWN)("--show %s", (show, report) => {
    expect(request({ show }).report).toEqual(report);
  });

  test.each(["auto", "packet", "raw", "connect"])("--link %s", (link) => {
    expect(String(request({ link }).link)).toBe(link);
  });
});

describe("a wrong word is an error that names it", () => {
  const WRONG: readonly (readonly [string, Partial<ScanOptions>, readonly string[]])[] = [
    ["INVALID_OPTION", { rate: "fast" }, ["--rate", "'fast'"]],
    ["INVALID_OPTION", { rate: "0" }, ["--rate", "'0'", "'max'"]],
    ["INVALID_OPTION", { rate: "-5" }, ["--rate", "'-5'"]],
    ["INVALID_OPTION", { rate: "1e9" }, ["--rate", "'1e9'"]],
    ["INVALID_OPTION", { rate: "10000001" }, ["--rate", "'10000001'"]],
    ["INVALID_OPTION", { rate: "" }, ["--rate", "''"]],
    ["INVALID_OPTION", { rate: " 5" }, ["--rate", "' 5'"]],
    ["INVALID_OPTION", { retries: "11" }, ["--retries", "'11'"]],
    ["INVALID_OPTION", { retries: "1.5" }, ["--retries", "'1.5'", "whole"]],
    ["INVALID_OPTION", { retries: "NaN" }, ["--retries", "'NaN'"]],
    ["INVALID_OPTION", { portTimeout: "0" }, ["--port-timeout", "'0'"]],
    ["INVALID_OPTION", { portTimeout: "60001" }, ["--port-timeout", "'60001'"]],
    ["INVALID_OPTION", { maxRuntime: "0" }, ["--max-runtime", "'0'"]],
    ["INVALID_OPTION", { maxRuntime: "1h" }, ["--max-runtime", "'1h'"]],
    ["INVALID_OPTION", { maxRuntime: "Infinity" }, ["--max-runtime", "'Infinity'"]],
    ["INVALID_OPTION", { link: "wifi" }, ["--link", "'wifi'", "connect"]],
    ["INVALID_OPTION", { link: "" }, ["--link", "''"]],
    ["INVALID_OPTION", { seed: "-1" }, ["--seed", "'-1'"]],
    ["INVALID_OPTION", { seed: "0x10" }, ["--seed", "'0x10'"]],
    ["INVALID_OPTION", { show: "opened" }, ["--show", "'opened'"]],
    ["INVALID_OPTION", { show: "open,,closed" }, ["--show", "''"]],
    ["INVALID_PORT", { ports: "http" }, ["'http'"]],
    ["INVALID_PORT", { ports: "80,53/udp" }, ["UDP", "'80,53/udp'"]],
    ["INVALID_PORT", { ports: "65536" }, ["'65536'"]],
    ["INVALID_TARGET", { exclude: ["10.0.0.1", "10.0.0.256"] }, ["'10.0.0.256'"]],
  ];

  test.each(WRONG)("%s for %j", (code, options, named) => {
    expectUsageError(() => request(options), code, named);
  });

  test.each([
    ["INVALID_TARGET", ["10.0.0.0/33"], ["10.0.0.0/33"]],
    ["INVALID_TARGET", ["10.0.0.1", "example.org"], ["'example.org'"]],
    ["NOTHING_TO_SCAN", [], ["no address"]],
    ["NOTHING_TO_SCAN", ["224.0.0.1", "255.255.255.255"], ["multicast"]],
  ])("%s for targets %j", (code, targets, named) => {
    expectUsageError(() => request({}, targets), code, named);
  });

  test("NOTHING_TO_SCAN where everything is excluded", () => {
    expectUsageError(() => request({ exclude: ["10.0.0.0/8"] }), "NOTHING_TO_SCAN", ["excluded"]);
  });
});

function expectUsageError(run: () => unknown, code: string, named: readonly string[]): void {
  let caught: unknown;
  try {
    run();
  } catch (error) {
    caught = error;
  }
  if (!(caught instanceof PortolanError)) throw new Error(`expected ${code}, got ${String(caught)}`);
  expect([caught.name, caught.code]).toEqual(["UsageError", code]);
  for (const word of named) expect(caught.message).toContain(word);
}
