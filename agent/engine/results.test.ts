/** Numbers become what people read: address, port, state and reason, and whatever else is known of the host. */

import { describe, expect, test } from "bun:test";
import { UDP } from "./packet/probe-kind.ts";
import { reasonCode } from "./packet/reason.ts";
import type { AnswerRecord } from "./records.ts";
import { toHostResult, toPortResult } from "./results.ts";
import { questionOfPort } from "./targets/questions.ts";
import { addressesOf, aPlan, learnHop } from "./testing/plan.ts";

const PLAN = aPlan(
  { addresses: addressesOf(4, 4), udpPorts: [{ first: 53, last: 53 }] },
  { reaches: ["on-link", "gateway"] },
);

function record(overrides: Partial<AnswerRecord>): AnswerRecord {
  const timeMs = Date.UTC(2026, 0, 27, 10, 30);
  return {
    addressNumber: 0,
    question: 0,
    reason: reasonCode("syn-ack"),
    ttl: 64,
    ourPort: 61_000,
    timeMs,
    ...overrides,
  };
}

describe("toPortResult", () => {
  test("of TCP over IPv4", () => {
    expect(toPortResult(PLAN, record({ addressNumber: 3, question: 2 }))).toEqual({
      address: "10.0.0.3",
      port: 82,
      protocol: "tcp",
      state: "open",
      reason: "syn-ack",
      ttl: 64,
      observedAt: "2026-01-27T10:30:00.000Z",
    });
  });

  test("of UDP over IPv6, whose silence has no packet to read a time to live from", () => {
    const question = questionOfPort(PLAN.space.questions, UDP, 53);
    const silent = record({ addressNumber: 5, question, reason: reasonCode("no-response"), ttl: 0 });
    expect(toPortResult(PLAN, silent)).toEqual({
      address: "2001:db8::1",
      port: 53,
      protocol: "udp",
      state: "filtered",
      reason: "no-response",
      observedAt: "2026-01-27T10:30:00.000Z",
    });
    const refused = record({ question, reason: reasonCode("port-unreachable") });
    expect(toPortResult(PLAN, refused)).toMatchObject({ state: "closed", reason: "port-unreachable" });
  });
});

describe("toHostResult", () => {
  test("tells the hardware address of a neighbour, and not the gateway's", () => {
    learnHop(PLAN, 1);
    learnHop(PLAN, 4);
    const reason = reasonCode("arp-reply");
    expect(toHostResult(PLAN, record({ addressNumber: 1, reason, ttl: 0 }), true)).toEqual({
      address: "10.0.0.1",
      state: "up",
      reason: "arp-reply",
      macAddress: "02:00:00:00:00:02",
      observedAt: "2026-01-27T10:30:00.000Z",
    });
    const behind = record({ addressNumber: 4, reason: reasonCode("no-response"), ttl: 0 });
    expect(toHostResult(PLAN, behind, false)).toEqual({
      address: "2001:db8::",
      state: "down",
      reason: "no-response",
      observedAt: "2026-01-27T10:30:00.000Z",
    });
  });
});
