/** Hosts that answer on everything are told from hosts with many ports; nothing is listed twice, and nothing is lost. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { type CanarySender, CanaryWatch } from "./canary-watch.ts";

const TIMEOUT_MS = 100;

/** Canaries that are sent when the test says so. */
class FakeSender implements CanarySender {
  readonly asked: number[] = [];
  room = Infinity;
  sent = Infinity;

  request(addressNumber: number): number | undefined {
    if (this.asked.length >= this.room) return undefined;
    return this.asked.push(addressNumber) - 1;
  }

  isSent(ticket: number): boolean {
    return ticket < this.sent;
  }
}

/** A watch of a scan of many ports; `listed` is what may be shown, in the order in which it may. */
function watching(sender: CanarySender = new FakeSender(), tcpPorts = 1_000) {
  const watch = new CanaryWatch<number>(tcpPorts, TIMEOUT_MS, sender);
  const listed: number[] = [];
  const convicted: number[] = [];
  const open = (host: number, ports: readonly number[]): void => {
    for (const port of ports) if (watch.open(host, port)) listed.push(port);
  };
  const decide = (nowMs: number, final = false): void => {
    const verdicts = watch.decide(nowMs, final);
    listed.push(...verdicts.released);
    convicted.push(...verdicts.convicted);
  };
  return { watch, listed, convicted, open, decide };
}

const ports = (first: number, count: number): number[] => Array.from({ length: count }, (_, i) => first + i);

describe("an ordinary host", () => {
  test("with few open ports is left alone", () => {
    const sender = new FakeSender();
    const { watch, listed, open, decide } = watching(sender);
    open(1, ports(1, 7));
    decide(0);
    expect(listed).toEqual(ports(1, 7));
    expect(sender.asked).toEqual([]);
    expect(watch.isWaiting()).toBe(false);
  });

  test("with twenty is sent canaries once, waits for them, and is then listed whole and in order", () => {
    const sender = new FakeSender();
    const { watch, listed, convicted, open, decide } = watching(sender);
    open(1, ports(1, 12));
    decide(0);
    open(1, ports(13, 4));
    decide(TIMEOUT_MS - 1);
    expect(listed).toEqual(ports(1, 8));
    expect(watch.isWaiting()).toBe(true);
    decide(TIMEOUT_MS);
    open(1, ports(17, 4));
    expect(listed).toEqual(ports(1, 20));
    expect(convicted).toEqual([]);
    expect(sender.asked).toEqual([1]);
    expect([watch.withheld, watch.isWaiting()]).toEqual([0, false]);
  });

  test("may have one of the canaries' ports open", () => {
    const { watch, listed, convicted, open, decide } = watching();
    open(1, ports(1, 20));
    watch.canaryAnswered(1, 40_000, true);
    watch.canaryAnswered(1, 40_000, true);
    decide(0);
    decide(TIMEOUT_MS);
    expect(listed).toEqual(ports(1, 20));
    expect(convicted).toEqual([]);
  });

  test("is listed at once where so many canaries are refused that the others cannot convict it", () => {
    const { watch, listed, open, decide } = watching();
    open(1, ports(1, 20));
    decide(0);
    watch.canaryAnswered(1, 40_000, false);
    decide(1);
    expect(listed).toEqual(ports(1, 8));
    watch.canaryAnswered(1, 40_001, false);
    decide(2);
    expect(listed).toEqual(ports(1, 20));
    expect(watch.isWaiting()).toBe(false);
  });
});

describe("a host that answers on everything", () => {
  test("is convicted at once, and what is held or comes later is withheld", () => {
    const { watch, listed, convicted, open, decide } = watching();
    open(1, ports(1, 100));
    decide(0);
    watch.canaryAnswered(1, 40_000, true);
    watch.canaryAnswered(1, 40_001, true);
    decide(1);
    open(1, ports(101, 900));
    decide(TIMEOUT_MS);
    expect(convicted).toEqual([1]);
    expect(listed).toEqual(ports(1, 8));
    expect([watch.withheld, watch.convictedHosts, watch.isWaiting()]).toEqual([992, 1, false]);
  });

  test("is found where few ports are asked and all are open", () => {
    const { watch, convicted, open, decide } = watching(new FakeSender(), 2);
    open(1, [80]);
    expect(watch.isWaiting()).toBe(false);
    open(1, [443]);
    watch.canaryAnswered(1, 40_000, true);
    watch.canaryAnswered(1, 40_001, true);
    decide(0);
    expect(convicted).toEqual([1]);
  });
});

describe("slow canaries", () => {
  test("have their whole time from when they are sent, not from when they are asked for", () => {
    const sender = new FakeSender();
    sender.sent = 0;
    const { watch, convicted, open, decide } = watching(sender);
    open(1, ports(1, 50));
    decide(0);
    decide(100 * TIMEOUT_MS);
    expect(watch.isWaiting()).toBe(true);
    sender.sent = 1;
    decide(101 * TIMEOUT_MS);
    decide(102 * TIMEOUT_MS - 1);
    watch.canaryAnswered(1, 40_000, true);
    watch.canaryAnswered(1, 40_001, true);
    decide(102 * TIMEOUT_MS);
    expect(convicted).toEqual([1]);
  });

  test("that found no room are asked for again, although no further port is found", () => {
    const sender = new FakeSender();
    sender.room = 1;
    const { watch, convicted, open, decide } = watching(sender);
    open(1, ports(1, 8));
    open(2, ports(1, 8));
    decide(0);
    expect(sender.asked).toEqual([1]);
    sender.room = 2;
    decide(1);
    expect(sender.asked).toEqual([1, 2]);
    watch.canaryAnswered(2, 40_000, true);
    watch.canaryAnswered(2, 40_001, true);
    decide(2);
    expect(convicted).toEqual([2]);
  });

  test("are given up at the end, in favour of the host", () => {
    const sender = new FakeSender();
    sender.room = 0;
    const { watch, listed, open, decide } = watching(sender);
    open(1, ports(1, 30));
    decide(0, true);
    expect(listed).toEqual(ports(1, 30));
    expect(watch.isWaiting()).toBe(false);
  });
});

type Event =
  | { readonly is: "open"; readonly host: number }
  | { readonly is: "canary"; readonly host: number; readonly port: number }
  | { readonly is: "pause"; readonly ms: number };

const host = fc.nat(3);
const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ is: fc.constant("open" as const), host }) },
  fc.record({ is: fc.constant("canary" as const), host, port: fc.integer({ min: 20_000, max: 20_004 }) }),
  fc.record({ is: fc.constant("pause" as const), ms: fc.nat(2 * TIMEOUT_MS) }),
);

test("whatever happens, each open port is listed once or withheld, and convicted hosts are named once", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 200 }), fc.nat(4), (events, room) => {
      const sender = new FakeSender();
      sender.room = room;
      const { watch, listed, convicted, open, decide } = watching(sender, 20);
      let nowMs = 0;
      let found = 0;
      for (const one of events) {
        if (one.is === "open") open(one.host, [found++]);
        else if (one.is === "canary") watch.canaryAnswered(one.host, one.port, true);
        else decide((nowMs += one.ms));
      }
      decide(nowMs, true);
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed.length + watch.withheld).toBe(found);
      expect(new Set(convicted).size).toBe(convicted.length);
      expect(convicted.length).toBe(watch.convictedHosts);
      expect(watch.isWaiting()).toBe(false);
    }),
  );
});

test("watches so many hosts at most, and says how many it did not", () => {
  const { watch, listed, open } = watching();
  for (let host = 0; host < 100_002; host++) open(host, [1]);
  expect(watch.unwatched).toBe(2);
  expect(listed.length).toBe(100_002);
});

test("holds so many ports at most; the others are listed", () => {
  const { watch, listed, open, decide } = watching();
  open(1, ports(0, 200_108));
  expect(listed.length).toBe(108);
  decide(0, true);
  expect([listed.length, watch.withheld]).toEqual([200_108, 0]);
});
