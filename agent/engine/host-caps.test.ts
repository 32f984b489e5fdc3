/** Caps in simulated time: no host and no network gets more than its own, and what waits comes out once. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { HostCaps } from "./host-caps.ts";

const cap = fc.constantFrom(0, 0.5, 1, 7, 100, 3_000);
const HOSTS_IN_NETWORK = 4;

interface Sent {
  readonly item: number;
  readonly host: number;
  readonly atMs: number;
}

/**
 * Asks for a probe to each of these hosts in turn, as the sender does. Returns when each went out.
 * @param mostAt probes that may go in this turn, whatever the caps
 */
function run(
  hostPps: number,
  networkPps: number,
  hosts: readonly number[],
  tickMs: number,
  networkOf = (host: number): number => Math.floor(host / HOSTS_IN_NETWORK),
  mostAt = (_turn: number): number => Infinity,
): Sent[] {
  const hostOf = (item: number): number => hosts[item] ?? -1;
  const networkKey = (item: number): number => networkOf(hostOf(item));
  const caps = new HostCaps(hostPps, networkPps, { hostKey: hostOf, networkKey, probes: () => 1 });
  const sent: Sent[] = [];
  let nowMs = 1_000;
  let item = 0;
  for (let turn = 0; sent.length < hosts.length; turn++) {
    if (turn > 1_000_000) throw new Error(`only ${sent.length} of ${hosts.length} went out`);
    const end = sent.length + mostAt(turn);
    while (sent.length < end) {
      const due = caps.takeDue(nowMs);
      if (due < 0) break;
      sent.push({ item: due, host: hostOf(due), atMs: nowMs });
    }
    for (; item < hosts.length && caps.hasRoom() && sent.length < end; item++) {
      if (caps.admit(item, nowMs)) sent.push({ item, host: hostOf(item), atMs: nowMs });
    }
    nowMs = Math.max(nowMs + tickMs, Math.min(caps.nextDueMs(), nowMs + 10_000));
  }
  expect(caps.waitingCount()).toBe(0);
  return sent;
}

/** Throws where these got more than rate × time + 1 in any stretch of time. */
function checkCap(sent: readonly Sent[] | undefined, pps: number, lateMs: number): void {
  if (pps === 0) return;
  const timesMs = (sent ?? []).map(({ atMs }) => atMs);
  timesMs.forEach((fromMs, i) => {
    for (let j = i; j < timesMs.length; j++) {
      const allowed = (((timesMs[j] ?? 0) - fromMs + lateMs) * pps) / 1_000 + 1 + 1e-6;
      if (j - i + 1 > allowed) throw new Error(`${j - i + 1} probes where ${allowed} are allowed`);
    }
  });
}

/** Probes a second over the whole time. */
function rateOf(sent: readonly Sent[]): number {
  return ((sent.length - 1) * 1_000) / ((sent.at(-1)?.atMs ?? 0) - (sent.at(0)?.atMs ?? 0));
}

describe("whatever the caps and the hosts", () => {
  const hosts = fc.array(fc.nat(11), { maxLength: 120 });

  test("every probe goes out once, and no host or network gets more than cap × time + 1", () => {
    fc.assert(
      fc.property(cap, cap, hosts, fc.constantFrom(0.1, 1, 20), (hostPps, networkPps, hosts, tickMs) => {
        const sent = run(hostPps, networkPps, hosts, tickMs);
        expect(sent.map(({ item }) => item).toSorted((a, b) => a - b)).toEqual(hosts.map((_, i) => i));
        const byHost = Object.groupBy(sent, ({ host }) => host);
        const byNetwork = Object.groupBy(sent, ({ host }) => Math.floor(host / HOSTS_IN_NETWORK));
        // What was due between two turns of the clock goes out at the second: so much may come together.
        for (const some of Object.values(byHost)) checkCap(some, hostPps, tickMs);
        for (const some of Object.values(byNetwork)) checkCap(some, networkPps, tickMs);
      }),
      { numRuns: 1_000 },
    );
  });

  test("a cap is used: a host that is asked all the time gets its rate", () => {
    const host = Array.from({ length: 101 }, () => 3);
    expect(rateOf(run(10, 0, host, 1))).toBeWithin(9.9, 10.1);
    expect(rateOf(run(0, 10, host, 1))).toBeWithin(9.9, 10.1);
  });
});

describe("both caps at once", () => {
  /** Hosts in an order that looks random, each as often as any other. */
  const mixed = (hosts: number, each: number): number[] =>
    Array.from({ length: hosts * each }, (_, i) => (i * 7_919) % hosts);

  test("a network of slow hosts gets its own rate: what waits for a host takes nothing from it", () => {
    const sent = run(1, 100, mixed(256, 20), 1, () => 0);
    expect(rateOf(sent)).toBeWithin(80, 101);
  });

  test("where the hosts together are slower than the network, they get theirs", () => {
    expect(rateOf(run(1, 100, mixed(64, 20), 1, () => 0))).toBeWithin(60, 69);
  });

  test("a slow network does not hold back another", () => {
    const hosts = [...Array.from({ length: 300 }, () => 0), ...mixed(8, 100).map((host) => host + 4)];
    const sent = run(0, 100, hosts, 1);
    const others = sent.filter(({ host }) => host >= 4);
    // Two networks of 100 each, and not the third's turn in between.
    expect(rateOf(others)).toBeWithin(190, 202);
  });

  test("a host that waited for its network still keeps its own cap after", () => {
    // One host of many in a network of two probes a second: its probes pile up while all wait, and are the last to go.
    const hosts = [...Array.from({ length: 40 }, (_, i) => i), ...Array.from({ length: 10 }, () => 7)];
    const sent = run(1, 2, hosts, 1, () => 0);
    checkCap(
      sent.filter(({ host }) => host === 7),
      1,
      1,
    );
  });
});

describe("held up by others than the caps", () => {
  test("nothing piles up: no host or network gets more than a tenth of a second at once", () => {
    const hosts = fc.array(fc.nat(11), { maxLength: 120 });
    // Long stalls, then more than the caps let go.
    const turns = fc.array(fc.constantFrom(0, 0, 0, 1, 100), { minLength: 9, maxLength: 9 });
    const tickMs = fc.constantFrom(50, 400);
    fc.assert(
      fc.property(cap, cap, hosts, turns, tickMs, (hostPps, networkPps, hosts, turns, tickMs) => {
        const mostAt = (turn: number): number => turns[turn % 10] ?? 1;
        const sent = run(hostPps, networkPps, hosts, tickMs, undefined, mostAt);
        expect(new Set(sent.map(({ item }) => item)).size).toBe(hosts.length);
        const byHost = Object.groupBy(sent, ({ host }) => host);
        const byNetwork = Object.groupBy(sent, ({ host }) => Math.floor(host / HOSTS_IN_NETWORK));
        for (const some of Object.values(byHost)) checkCap(some, hostPps, 100);
        for (const some of Object.values(byNetwork)) checkCap(some, networkPps, 100);
      }),
      { numRuns: 500 },
    );
  });
});

describe("takeNow", () => {
  test("takes the moment where host and network are free, and else leaves everything as it is", () => {
    const caps = new HostCaps(1, 2, { hostKey: (item) => item, networkKey: () => 9, probes: () => 1 });
    expect(caps.takeNow(5, 9, 0)).toBe(true);
    expect(caps.takeNow(5, 9, 999)).toBe(false);
    expect(caps.takeNow(6, 9, 499)).toBe(false);
    expect(caps.takeNow(6, 9, 500)).toBe(true);
    expect(caps.takeNow(5, 9, 1_000)).toBe(true);
    expect(caps.admit(5, 1_000)).toBe(false);
    expect(caps.nextDueMs()).toBe(2_000);
  });

  test("keys beyond 2³² tell hosts apart too", () => {
    const caps = new HostCaps(1, 0, { hostKey: (item) => item, networkKey: () => 0, probes: () => 1 });
    expect([2 ** 40, 2 ** 40 + 1, 2 ** 40].map((item) => caps.admit(item, 0))).toEqual([true, true, false]);
  });
});

describe("takeAnyway", () => {
  test("goes at once, and what is waiting already is put off for it", () => {
    const caps = new HostCaps(1, 0, { hostKey: () => 5, networkKey: () => 0, probes: () => 1 });
    expect([0, 1, 2].map((item) => caps.admit(item, 0))).toEqual([true, false, false]);
    caps.takeAnyway(5, 0, 0);
    caps.takeAnyway(5, 0, 0);
    const times: number[] = [];
    for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) {
      while (caps.takeDue(nowMs) >= 0) times.push(nowMs);
    }
    expect(times).toEqual([3_000, 4_000]);
  });
});

test.each([
  [1, 0],
  [0, 1],
  [1, 1],
])("three probes that go together count as three (caps %d and %d)", (hostPps, networkPps) => {
  const items = { hostKey: () => 5, networkKey: () => 0, probes: () => 3 };
  const caps = new HostCaps(hostPps, networkPps, items);
  expect([0, 1, 2].map((item) => caps.admit(item, 0))).toEqual([true, false, false]);
  const taken: string[] = [];
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 500) {
    for (let item = caps.takeDue(nowMs); item >= 0; item = caps.takeDue(nowMs))
      taken.push(`${item} at ${nowMs}`);
  }
  expect(taken).toEqual(["1 at 3000", "2 at 6000"]);
});

test("what is put aside is bounded, and the least of it is known", () => {
  const caps = new HostCaps(1, 1, { hostKey: () => 5, networkKey: () => 0, probes: () => 1 });
  expect([caps.leastWaiting(), caps.nextDueMs()]).toEqual([Infinity, Infinity]);
  expect(caps.admit(0, 0)).toBe(true);
  for (let item = 1; item <= 4_096; item++) {
    expect(caps.hasRoom()).toBe(true);
    expect(caps.admit(item, 0)).toBe(false);
  }
  expect([caps.hasRoom(), caps.waitingCount(), caps.leastWaiting()]).toEqual([false, 4_096, 1]);
  expect(caps.takeDue(999)).toBe(-1);
  expect(caps.takeDue(1_000)).toBe(1);
  expect([caps.hasRoom(), caps.leastWaiting()]).toEqual([true, 2]);
});
