/** Source ports: held for one scan alone, and never a port that somebody else uses. */

import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import type { AddressFamily } from "../targets/address-words.ts";
import { reserveSourcePorts, type SourcePorts } from "./source-ports.ts";

const BOTH: readonly AddressFamily[] = [4, 6];

const [ephemeralLow = 0, ephemeralHigh = 0] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8")
  .trim()
  .split(/\s+/)
  .map(Number);

let held: SourcePorts[] = [];

afterEach(() => {
  for (const ports of held) ports.release();
  held = [];
});

function reserve(count: number, random: () => number): SourcePorts {
  const ports = reserveSourcePorts(count, BOTH, undefined, random);
  held.push(ports);
  return ports;
}

/** A reservation, and the number that leads to it again. */
function reserveSomewhere(count: number): { ports: SourcePorts; choice: number } {
  let choice = 0;
  const ports = reserve(count, () => (choice = Math.random()));
  return { ports, choice };
}

function release(ports: SourcePorts): void {
  ports.release();
  held = held.filter((other) => other !== ports);
}

describe("reserveSourcePorts", () => {
  test("many at a time never overlap, and lie outside the kernel's own range where it leaves room", () => {
    const taken = new Set<number>();
    for (let i = 0; i < 50; i++) {
      const { first, count } = reserve(4, Math.random);
      expect(count).toBe(4);
      for (let port = first; port < first + count; port++) {
        expect(taken.has(port)).toBe(false);
        expect(port).toBeWithin(1_024, 65_536);
        if (65_535 - ephemeralHigh >= 8) expect(port).toBeGreaterThan(ephemeralHigh);
        else if (ephemeralLow - 1_024 >= 8) expect(port).toBeLessThan(ephemeralLow);
        taken.add(port);
      }
    }
  });

  test("refuses ports that another scan holds, and goes on to the next choice", () => {
    const { ports, choice } = reserveSomewhere(3);
    expect(() => reserve(3, () => choice)).toThrow(expect.objectContaining({ code: "NO_SOURCE_PORTS" }));
    let asked = 0;
    const other = reserve(3, () => (asked++ < 10 ? choice : Math.random()));
    expect(asked).toBeGreaterThan(10);
    expect(Math.abs(other.first - ports.first)).toBeGreaterThanOrEqual(3);
  });

  test("refuses a run in which one port has a listener", () => {
    const { ports, choice } = reserveSomewhere(3);
    release(ports);
    const listener = Bun.listen({
      hostname: "127.0.0.1",
      port: ports.first + 1,
      socket: { data: () => undefined },
    });
    try {
      expect(() => reserve(3, () => choice)).toThrow(expect.objectContaining({ code: "NO_SOURCE_PORTS" }));
    } finally {
      listener.stop(true);
    }
  });

  test("a released run can be had again", () => {
    const { ports, choice } = reserveSomewhere(2);
    release(ports);
    expect(reserve(2, () => choice).first).toBe(ports.first);
  });

  test.each(["127.0.0.1", "::1"])("keeps strangers off the ports that it holds, on %s", (hostname) => {
    const { ports } = reserveSomewhere(1);
    const listen = (): unknown =>
      Bun.listen({ hostname, port: ports.first, socket: { data: () => undefined } });
    expect(listen).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
    const bindUdp = (): unknown => Bun.udpSocket({ hostname, port: ports.first });
    expect(bindUdp).toThrow(expect.objectContaining({ code: "EADDRINUSE" }));
  });

  test("leaves the ports of a family that is not scanned to others", () => {
    const ports = reserveSourcePorts(1, [4], undefined, Math.random);
    held.push(ports);
    const listener = Bun.listen({
      hostname: "::1",
      port: ports.first,
      socket: { data: () => undefined },
    });
    expect(listener.port).toBe(ports.first);
    listener.stop(true);
  });
});

describe("a first port that the user wants", () => {
  test("is taken as it is, whatever chance would say", () => {
    const { ports } = reserveSomewhere(3);
    release(ports);
    const again = reserveSourcePorts(3, BOTH, ports.first, () => {
      throw new Error("drew a number");
    });
    held.push(again);
    expect(again).toMatchObject({ first: ports.first, count: 3 });
  });

  test("is refused where one of the run is in use, and the one is named with its protocol", async () => {
    const { ports } = reserveSomewhere(3);
    release(ports);
    const other = await Bun.udpSocket({ hostname: "::1", port: ports.first + 2 });
    try {
      expect(() => reserveSourcePorts(3, BOTH, ports.first, Math.random)).toThrow(
        expect.objectContaining({
          name: "UsageError",
          code: "SOURCE_PORT_IN_USE",
          message: expect.stringContaining(`${ports.first + 2}/udp`),
        }),
      );
    } finally {
      other.close();
    }
    held.push(reserveSourcePorts(2, BOTH, ports.first, Math.random));
  });

  test.each([0, 65_534])("must leave room for the run: not %d for three", (first) => {
    expect(() => reserveSourcePorts(3, BOTH, first, Math.random)).toThrow(
      expect.objectContaining({ name: "UsageError", code: "BAD_SOURCE_PORT" }),
    );
  });
});
