/** Probing by real connections, on loopback of both families. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { addressSetOf } from "#shared/net/address-set.ts";
import { AnswerSink } from "../answers.ts";
import { compilePlan } from "../compile-plan.ts";
import { TCP_SYN } from "../packet/probe-kind.ts";
import { REASON_NAMES } from "../packet/reason.ts";
import type { WorkerPlan } from "../plan.ts";
import { readRecords } from "../records.ts";
import { portOfQuestion } from "../targets/questions.ts";
import { scanRequest } from "./testing/scan-request.ts";
import { ConnectProber } from "./connect-prober.ts";
import { routeTargets } from "./route.ts";
import { reserveSourcePorts, type SourcePorts } from "./source-ports.ts";

const LOCALHOST = addressSetOf([{ first: 0x7f00_0001, last: 0x7f00_0001 }], [{ first: 1n, last: 1n }]);

/** Bound and not listening, so connections to them are refused. */
let closed: SourcePorts;
let listeners: Bun.TCPSocketListener[] = [];

beforeEach(() => {
  closed = reserveSourcePorts(1, [4, 6], undefined, Math.random);
});

afterEach(() => {
  closed.release();
  listeners.forEach((listener) => listener.stop(true));
  listeners = [];
});

function listenOn(hostname: string): number {
  const listener = Bun.listen({ hostname, port: 0, socket: { data: () => undefined } });
  listeners.push(listener);
  return listener.port;
}

function planFor(ports: readonly number[]): WorkerPlan {
  const request = {
    ...scanRequest,
    addresses: LOCALHOST,
    tcpPorts: ports.toSorted((a, b) => a - b).map((port) => ({ first: port, last: port })),
    report: ["open", "closed", "filtered"],
  } as const;
  const routed = routeTargets(LOCALHOST, {
    forceKernel: true,
    interfaceName: undefined,
    sourceAddresses: { v4: undefined, v6: undefined },
  });
  const way = { probing: "connect", frameLink: "packet", lanes: 1, firstSourcePort: 0 } as const;
  return compilePlan(request, routed, way, { k0: 1, k1: 2 });
}

describe("ConnectProber", () => {
  test("tells open from closed ports of both families, each under its own address and port", () => {
    const [open4, open6] = [listenOn("127.0.0.1"), listenOn("::1")];
    const ports = [open4, open6, closed.first];
    const plan = planFor(ports);
    const prober = new ConnectProber(plan, new AnswerSink(plan));
    try {
      prober.prepare();
      for (const addressNumber of [0, 1]) {
        for (const port of ports) expect(prober.add(addressNumber, TCP_SYN, port)).toBe(true);
      }
      expect(prober.flush()).toBe(6);
      while (prober.pending() > 0) prober.idle(100);
      expect(prober.refusals()).toEqual({ count: 0, reason: "" });
    } finally {
      prober.close();
    }
    const found = readRecords(plan.records, 100).map(
      ({ addressNumber, question, reason }) =>
        `${addressNumber} ${portOfQuestion(plan.space.questions, question)} ${REASON_NAMES[reason]}`,
    );
    expect(found.toSorted()).toEqual(
      [
        `0 ${open4} syn-ack`,
        `0 ${open6} reset`,
        `0 ${closed.first} reset`,
        `1 ${open4} reset`,
        `1 ${open6} syn-ack`,
        `1 ${closed.first} reset`,
      ].toSorted(),
    );
  });
});
