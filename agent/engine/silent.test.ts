/** Ports that never answered: exactly those that were asked and gave nothing. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { counter, POSITION, SEND_ERRORS } from "./control-block.ts";
import { markAnswered } from "./dedup.ts";
import type { RouteSegment } from "./link/route.ts";
import { compilePlan, type WorkerPlan } from "./plan.ts";
import type { PortRecord } from "./records.ts";
import { silentProbes } from "./silent.ts";
import { summarize } from "./summary.ts";
import { permute } from "./targets/permutation.ts";

function planOf(addressCount: number, portCount: number): WorkerPlan {
  const addresses = { first: 0x0a00_0000, last: 0x0a00_0000 + addressCount - 1 };
  const segment: RouteSegment = {
    ...addresses,
    interfaceName: "x0",
    interfaceIndex: 1,
    source: 1,
    via: "packet",
    gateway: undefined,
    mac: new Uint8Array(6),
  };
  return compilePlan(
    {
      addresses: [addresses],
      ports: [{ first: 100, last: 100 + portCount - 1 }],
      ratePps: 0,
      retries: 0,
      portTimeoutMs: 100,
      maxRuntimeMs: undefined,
      link: "auto",
      seed: 7,
      report: ["filtered"],
    },
    "syn",
    [segment],
    61_000,
    { k0: 1, k1: 2 },
  );
}

function chunks(plan: WorkerPlan, unreachable: readonly number[] = []): PortRecord[][] {
  const summary = summarize(plan, { ended: "done", durationMs: 1 });
  return [...silentProbes(plan, summary, unreachable)];
}

const name = ({ address, port, reason }: PortRecord): string =>
  `${address - 0x0a00_0000} ${port - 100} ${reason}`;

describe("silentProbes", () => {
  test("lists what was covered and not answered, absent hosts by their own reason", () => {
    const side = fc.integer({ min: 1, max: 12 });
    const someIndexes = fc.array(fc.nat(143), { maxLength: 100 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.nat(144),
        someIndexes,
        fc.nat(11),
        (addresses, ports, covered, answered, absent) => {
          const plan = planOf(addresses, ports);
          const { size, a, b, key0, key1 } = plan.permutation;
          plan.control.counters[POSITION] = Math.min(size, covered);
          for (const index of answered) markAnswered(plan.answered.words, true, index % size);

          const expected: string[] = [];
          for (let position = 0; position < counter(plan.control, POSITION); position++) {
            const index = permute(position, size, a, b, key0, key1);
            if (answered.some((other) => other % size === index)) continue;
            const number = Math.floor(index / ports);
            const reason = number === absent ? "no-arp-reply" : "no-response";
            expected.push(`${number} ${index % ports} ${reason}`);
          }
          expect(chunks(plan, [absent]).flat().map(name)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("comes in chunks, so that a large scan does not fill memory", () => {
    const plan = planOf(200, 60);
    plan.control.counters[POSITION] = 12_000;
    expect(chunks(plan).map(({ length }) => length)).toEqual([5_000, 5_000, 2_000]);
  });

  test("says nothing where it cannot know: no exact set, or probes that were refused", () => {
    const plan = planOf(4, 4);
    plan.control.counters[POSITION] = 16;
    expect(chunks({ ...plan, answered: { ...plan.answered, exact: false } })).toEqual([]);
    plan.control.counters[SEND_ERRORS] = 1;
    expect(chunks(plan)).toEqual([]);
  });
});
