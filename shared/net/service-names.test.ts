/** The registry of service names: known entries, and the table as a whole. */

import { describe, expect, test } from "bun:test";
import { nearestServiceName, portsOfService, registeredPorts, serviceName } from "./service-names.ts";

describe("serviceName", () => {
  test.each([
    [22, "tcp", "ssh"],
    [80, "tcp", "http"],
    [53, "udp", "domain"],
    [465, "tcp", "submissions"],
    [514, "tcp", "shell"],
    [514, "udp", "syslog"],
    [6_005, "tcp", "x11"],
  ] as const)("port %d/%s is %s", (port, protocol, name) => {
    expect(serviceName(port, protocol)).toBe(name);
  });

  test.each([0, 4, 65_535, 70_000])("port %d has none", (port) => {
    expect(serviceName(port, "tcp")).toBeUndefined();
  });
});

describe("portsOfService", () => {
  test("knows every name of a port, in any case", () => {
    for (const name of ["http", "www", "WWW-HTTP"]) {
      expect(portsOfService(name, "tcp")).toEqual([{ first: 80, last: 80 }]);
    }
    expect(portsOfService("x11", "tcp")).toEqual([{ first: 6_000, last: 6_063 }]);
    expect(portsOfService("syslog", "tcp")).toEqual([]);
    expect(portsOfService("constructor", "tcp")).toEqual([]);
  });

  test.each(["tcp", "udp"] as const)("every registered %s port is among those of its name", (protocol) => {
    const ports = registeredPorts(protocol);
    expect(ports.length).toBeGreaterThan(5_000);
    const lost = ports.filter((port) => {
      const ranges = portsOfService(serviceName(port, protocol) ?? "", protocol);
      return !ranges.some(({ first, last }) => port >= first && port <= last);
    });
    expect(lost).toEqual([]);
  });
});

describe("nearestServiceName", () => {
  test.each([
    ["htpp", "http"],
    ["shh", "ssh"],
    ["POSTGRES", "postgresql"],
    ["microsfot-ds", "microsoft-ds"],
    ["http", "http"],
  ])("%s may be %s", (mistyped, name) => {
    expect(nearestServiceName(mistyped, "tcp")).toBe(name);
  });

  test.each(["zzzzzzzz", "x".repeat(100_000)])("nothing is near others", (mistyped) => {
    expect(nearestServiceName(mistyped, "tcp")).toBeUndefined();
  });
});
