/** The flags of `scan`: what they mean, that every wrong one is named, and that none contradicts another in silence. */

import { describe, expect, test } from "bun:test";
import { PortolanError } from "#shared/errors.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { ScanRequest } from "../engine/plan.ts";
import type { ScanFlags } from "./scan-flags.ts";
import { refuseContradictions, requireTargets, scanRequest, scanScope } from "./scan-options.ts";

const TARGETS = parseTargets(["10.0.0.0/30", "2001:db8::1"]);

function request(flags: ScanFlags): ScanRequest {
  refuseContradictions(flags);
  return scanRequest(scanScope(TARGETS, flags), flags, { resume: undefined, capturePath: flags.pcap });
}

describe("a request", () => {
  test("without flags is a modest scan", () => {
    const { seed, ...rest } = request({});
    expect(seed).toBeWithin(0, 2 ** 48);
    expect(rest).toEqual({
      addresses: TARGETS,
      find: "ports",
      tcpPorts: [{ first: 1, last: 1_000 }],
      udpPorts: [],
      ratePps: 1_000,
      maxRatePerHostPps: 0,
      maxRatePerNetworkPps: 0,
      retries: 1,
      portTimeoutMs: 1_500,
      cooldownMs: undefined,
      quietMs: 300,
      maxRuntimeMs: undefined,
      link: "auto",
      shard: { index: 0, count: 1 },
      senders: undefined,
      resume: undefined,
      report: ["open"],
      interfaceName: undefined,
      sourceAddresses: { v4: undefined, v6: undefined },
      sourcePort: undefined,
      gatewayMac: undefined,
      capturePath: undefined,
    });
  });

  const MEANINGS: readonly (readonly [ScanFlags, Partial<ScanRequest>])[] = [
    [{ ports: "22,U:53" }, { tcpPorts: [{ first: 22, last: 22 }], udpPorts: [{ first: 53, last: 53 }] }],
    [{ ports: "!25,25-26" }, { tcpPorts: [{ first: 26, last: 26 }] }],
    [{ topPorts: "1" }, { tcpPorts: [{ first: 80, last: 80 }], udpPorts: [] }],
    [{ topUdpPorts: "1" }, { tcpPorts: [], udpPorts: [{ first: 53, last: 53 }] }],
    [
      { ports: "81", topPorts: "1", topUdpPorts: "1" },
      { tcpPorts: [{ first: 80, last: 81 }], udpPorts: [{ first: 53, last: 53 }] },
    ],
    [{ onlyDiscover: true }, { find: "hosts", tcpPorts: [], udpPorts: [] }],
    [{ discover: true }, { find: "ports" }],
    [{ rate: "max" }, { ratePps: 0 }],
    [{ rate: "auto" }, { ratePps: "auto" }],
    [{ rate: "0.1" }, { ratePps: 0.1 }],
    [{ rate: "10000000" }, { ratePps: 10_000_000 }],
    [{ maxRatePerHost: "0.5" }, { maxRatePerHostPps: 0.5 }],
    [{ maxRatePerNetwork: "100" }, { maxRatePerNetworkPps: 100 }],
    [{ retries: "0" }, { retries: 0 }],
    [{ portTimeout: "200" }, { portTimeoutMs: 200 }],
    [{ cooldown: "0" }, { cooldownMs: 0, quietMs: undefined }],
    [{ portTimeout: "900" }, { portTimeoutMs: 900, quietMs: undefined }],
    [{ cooldown: "2.5" }, { cooldownMs: 2_500 }],
    [{ maxRuntime: "1.5" }, { maxRuntimeMs: 1_500 }],
    [{ seed: "5" }, { seed: 5 }],
    [{ seed: "5", shard: "1/4" }, { shard: { index: 0, count: 4 } }],
    [{ seed: "5", shard: "4/4" }, { shard: { index: 3, count: 4 } }],
    [{ senders: "2" }, { senders: 2 }],
    [{ interface: "eth1" }, { interfaceName: "eth1" }],
    [{ sourceIp: ["10.0.0.9"] }, { sourceAddresses: { v4: 0x0a00_0009, v6: undefined } }],
    [{ sourceIp: ["::2", "10.0.0.9"] }, { sourceAddresses: { v4: 0x0a00_0009, v6: 2n } }],
    [{ sourcePort: "40000" }, { sourcePort: 40_000 }],
    [{ gatewayMac: "02:00:00:00:0A:ff" }, { gatewayMac: Uint8Array.of(2, 0, 0, 0, 10, 255) }],
    [{ gatewayMac: "02-00-00-00-0a-ff" }, { gatewayMac: Uint8Array.of(2, 0, 0, 0, 10, 255) }],
    [{ pcap: "probes.pcap" }, { capturePath: "probes.pcap" }],
  ];

  test.each(MEANINGS)("%j", (flags, meaning) => {
    expect(request(flags)).toMatchObject(meaning);
  });

  const SHOWN: readonly (readonly [string, readonly PortState[]])[] = [
    ["all", ["open", "closed", "filtered"]],
    ["closed", ["closed"]],
    ["filtered,open", ["filtered", "open"]],
  ];

  test.each(SHOWN)("--show %s", (show, report) => {
    expect(request({ show }).report).toEqual(report);
  });

  test.each(["auto", "xdp", "packet", "raw", "connect"])("--link %s", (link) => {
    expect(String(request({ link }).link)).toBe(link);
  });

  test("draws a seed where none is given", () => {
    expect(request({}).seed).not.toBe(request({}).seed);
  });
});

describe("a wrong value is an error that names its flag", () => {
  const WRONG: readonly (readonly [ScanFlags, readonly string[]])[] = [
    [{ rate: "fast" }, ["--rate", "'fast'", "'max'", "'auto'"]],
    [{ rate: "0" }, ["--rate", "'0'"]],
    [{ rate: "-5" }, ["--rate", "'-5'"]],
    [{ rate: "1e9" }, ["--rate", "'1e9'"]],
    [{ rate: "10000001" }, ["--rate", "'10000001'"]],
    [{ rate: "" }, ["--rate", "''"]],
    [{ rate: " 5" }, ["--rate", "' 5'"]],
    [{ rate: "\u001B[2J" }, ["--rate", "'?[2J'"]],
    [{ maxRatePerHost: "0" }, ["--max-rate-per-host", "'0'"]],
    [{ maxRatePerNetwork: "all" }, ["--max-rate-per-network", "'all'"]],
    [{ retries: "11" }, ["--retries", "'11'"]],
    [{ retries: "1.5" }, ["--retries", "'1.5'", "whole"]],
    [{ portTimeout: "0" }, ["--port-timeout", "'0'"]],
    [{ portTimeout: "60001" }, ["--port-timeout", "'60001'"]],
    [{ cooldown: "-1" }, ["--cooldown", "'-1'"]],
    [{ maxRuntime: "0" }, ["--max-runtime", "'0'"]],
    [{ maxRuntime: "1h" }, ["--max-runtime", "'1h'"]],
    [{ link: "wifi" }, ["--link", "'wifi'", "connect"]],
    [{ seed: "-1" }, ["--seed", "'-1'"]],
    [{ seed: "0x10" }, ["--seed", "'0x10'"]],
    [{ seed: "1", shard: "0/2" }, ["--shard", "'0/2'"]],
    [{ seed: "1", shard: "3/2" }, ["--shard", "'3/2'"]],
    [{ seed: "1", shard: "2" }, ["--shard", "'2'"]],
    [{ senders: "0" }, ["--senders", "'0'"]],
    [{ topPorts: "0" }, ["--top-ports", "'0'"]],
    [{ topUdpPorts: "65536" }, ["--top-udp-ports", "'65536'"]],
    [{ sourceIp: ["eth0"] }, ["--source-ip", "'eth0'"]],
    [{ sourceIp: ["10.0.0.1", "10.0.0.2"] }, ["--source-ip", "'10.0.0.2'"]],
    [{ sourcePort: "65536" }, ["--source-port", "'65536'"]],
    [{ gatewayMac: "02:00:00:00:00" }, ["--gateway-mac", "'02:00:00:00:00'"]],
    [{ gatewayMac: "02:00-00:00-00:00" }, ["--gateway-mac"]],
    [{ show: "opened" }, ["--show", "'opened'"]],
    [{ show: "open,,closed" }, ["--show", "''"]],
  ];

  test.each(WRONG)("%j", (flags, named) => {
    expectUsageError(() => request(flags), "INVALID_OPTION", named);
  });

  test.each([["http!"], ["65536"], ["22,,80"]])("ports %s", (ports) => {
    expectUsageError(() => request({ ports }), "INVALID_PORT", ["'"]);
  });
});

describe("flags that contradict each other are refused, with what to do", () => {
  const CONTRADICTIONS: readonly (readonly [ScanFlags, readonly string[]])[] = [
    [{ discover: true, onlyDiscover: true }, ["--discover", "--only-discover", "keep one"]],
    [{ onlyDiscover: true, ports: "80" }, ["--only-discover", "leave the ports out"]],
    [{ onlyDiscover: true, topPorts: "10" }, ["--only-discover"]],
    [{ onlyDiscover: true, show: "closed" }, ["--only-discover", "--show open"]],
    [{ discover: true, resume: "file" }, ["--discover", "leave"]],
    [{ discover: true, dryRun: true }, ["--discover", "--dry-run"]],
    [{ discover: true, link: "connect" }, ["--link connect", "--discover"]],
    [{ discover: true, shard: "1/2", seed: "1" }, ["--only-discover"]],
    [{ onlyDiscover: true, link: "connect" }, ["--link connect", "--only-discover"]],
    [{ shard: "1/2" }, ["--seed"]],
    [{ format: "binary" }, ["--format binary", "--dry-run"]],
    [{ format: "xml", dryRun: true }, ["--dry-run", "'xml'"]],
    [{ pcap: "f", dryRun: true }, ["--dry-run", "--pcap"]],
    [{ summary: "f", dryRun: true }, ["--dry-run", "--summary"]],
    [{ link: "connect", ports: "U:53" }, ["--link connect", "UDP"]],
    [{ link: "connect", interface: "eth0" }, ["--interface", "connect"]],
    [{ link: "connect", sourceIp: ["10.0.0.1"] }, ["--source-ip", "connect"]],
    [{ link: "connect", sourcePort: "4000" }, ["--source-port", "connect"]],
    [{ link: "connect", gatewayMac: "02:00:00:00:00:01" }, ["--gateway-mac", "connect"]],
    [{ link: "connect", senders: "2" }, ["--senders", "connect"]],
    [{ link: "connect", pcap: "f" }, ["--pcap", "connect"]],
  ];

  test.each(CONTRADICTIONS)("%j", (flags, named) => {
    expectUsageError(() => request(flags), "INVALID_OPTION", named);
  });

  test("no targets at all", () => {
    expectUsageError(() => requireTargets(undefined), "NO_TARGETS", ["--targets-file"]);
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
  expect(caught.message).not.toContain("\n");
  for (const word of named) expect(caught.message).toContain(word);
}
