/** The engine's packets in memory, from probe number to bytes, and nothing sent: for measuring and for tests. */

import { newControlBlock } from "../../control-block.ts";
import type { CookieKey } from "../../packet/cookie.ts";
import { TCP_SYN } from "../../packet/probe-kind.ts";
import { type Permutation, permute } from "../../targets/permutation.ts";
import type { ProbeSpace } from "../../targets/space.ts";
import { MemoryTransmitter } from "./memory-transmitter.ts";
import { PacketProber } from "../packet-prober.ts";
import type { Route } from "../route-types.ts";
import { newWayTable } from "../way-table.ts";
import { BATCH_PACKETS } from "../transmitter.ts";

/** Any lane but the first: that one would look for next hops on the network. */
const LANE = 1;

/** A prober for the whole space that keeps its frames in `transmitter`; all go from one host to one gateway. */
export function newGenerator(
  space: ProbeSpace,
  cookie: CookieKey,
  transmitter = new MemoryTransmitter(),
): PacketProber {
  const routes = ([4, 6] as const).map((family): Route => ({
    family,
    interfaceName: "memory",
    interfaceIndex: 1,
    via: "frame",
    source: family === 4 ? [0, 0, 0, 0x0a00_0001] : [0x2001_0db8 | 0, 0, 0, 1],
    isForced: false,
    mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    gateway: [0, 0, 0, 0x0a00_0002],
    txQueues: 1,
  }));
  const ways = newWayTable(
    Array.from(space.families, (family) => ({
      route: family === 6 ? 1 : 0,
      firstHop: 0,
      hopStep: 0 as const,
    })),
  );
  const prober = new PacketProber(
    {
      frameLink: "packet",
      routes,
      ways,
      neighbours: {
        ready: Int32Array.of(1),
        macHigh: Uint16Array.of(0x0200),
        macLow: Int32Array.of(2),
      },
      space,
      cookie,
      lane: LANE,
      control: newControlBlock(0, LANE + 1),
      capturePath: undefined,
    },
    () => transmitter,
  );
  prober.prepare();
  return prober;
}

/** Makes the packets of `count` positions from `first` on. Returns how many were made. */
export function generate(
  prober: PacketProber,
  space: ProbeSpace,
  { size, a, b, key0, key1 }: Permutation,
  sourcePort: number,
  first: number,
  count: number,
): number {
  const { count: questionCount, firsts, kinds, ports, payloads } = space.questions;
  let made = 0;
  for (let done = 0; done < count;) {
    const batchEnd = Math.min(count, done + BATCH_PACKETS);
    for (; done < batchEnd; done++) {
      const index = permute(first + done, size, a, b, key0, key1);
      const addressNumber = Math.floor(index / questionCount);
      const probe = firsts[(index - addressNumber * questionCount) | 0] ?? 0;
      prober.add(addressNumber, kinds[probe] ?? TCP_SYN, ports[probe] ?? 0, payloads[probe] ?? 0, sourcePort);
    }
    made += prober.flush();
  }
  return made;
}
