/** What goes wrong without ending a scan is told: a capture that is cut short, a gateway that is silent. */

import { expect, test } from "bun:test";
import { TCP_SYN } from "../packet/probe-kind.ts";
import { aPlan, FIRST_SOURCE_PORT, readyNeighbours } from "../testing/plan.ts";
import { PacketProber } from "./packet-prober.ts";
import { MemoryTransmitter } from "./testing/memory-transmitter.ts";

test("a sender whose probes could not be captured tells how many are missing, and why", () => {
  // Any lane but the first: that one would look for next hops on the network.
  const plan = { ...aPlan({}, { lanes: 2, reaches: ["kernel"] }), lane: 1, capturePath: "/dev/full" };
  readyNeighbours(plan);
  const prober = new PacketProber(plan, () => new MemoryTransmitter());
  prober.prepare();
  expect(prober.notes()).toEqual([]);
  for (const port of [80, 81, 82]) prober.add(0, TCP_SYN, port, 0, FIRST_SOURCE_PORT);
  expect(prober.flush()).toBe(3);
  prober.close();
  expect(prober.notes()).toEqual([expect.stringMatching(/\/dev\/full lacks 3 packets: .*ENOSPC/)]);
});

test("a gateway that does not answer is left to the kernel, and the sender says so", () => {
  const plan = { ...aPlan({}, { lanes: 2, reaches: ["gateway"] }), lane: 1 };
  readyNeighbours(plan);
  const prober = new PacketProber(plan, () => new MemoryTransmitter());
  prober.prepare();
  expect(prober.notes()).toEqual([expect.stringContaining("the gateway on test0 does not answer")]);
  expect(prober.add(0, TCP_SYN, 80, 0, FIRST_SOURCE_PORT)).toBe(true);
  prober.close();
});
