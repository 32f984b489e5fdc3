/** Requests and plans for tests: a whole one in a line, with only what the test is about spelled out. */

import { addressSetOf } from "#shared/net/address-set.ts";
import { compilePlan, type Way } from "../compile-plan.ts";
import type { Route, RoutedTargets } from "../link/route-types.ts";
import { newWayTable, type WayRun } from "../link/way-table.ts";
import type { ScanRequest, WorkerPlan } from "../plan.ts";
import { stretchAt, type Stretches, stretchesOf } from "../targets/stretches.ts";

/** 10.0.0.0 */
export const FIRST_IPV4 = 0x0a00_0000;
/** 2001:db8:: */
export const FIRST_IPV6 = 0x2001_0db8n << 96n;
export const FIRST_SOURCE_PORT = 61_000;

/** `count` addresses from 10.0.0.0 on, and `v6Count` from 2001:db8:: on. */
export function addressesOf(count: number, v6Count = 0): ScanRequest["addresses"] {
  return addressSetOf(
    count > 0 ? [{ first: FIRST_IPV4, last: FIRST_IPV4 + count - 1 }] : [],
    v6Count > 0 ? [{ first: FIRST_IPV6, last: FIRST_IPV6 + BigInt(v6Count) - 1n }] : [],
  );
}

/** Four addresses with three TCP ports, once, as fast as can be. */
export function aRequest(overrides: Partial<ScanRequest> = {}): ScanRequest {
  return {
    addresses: addressesOf(4),
    find: "ports",
    tcpPorts: [{ first: 80, last: 82 }],
    udpPorts: [],
    ratePps: 0,
    maxRatePerHostPps: 0,
    maxRatePerNetworkPps: 0,
    retries: 0,
    portTimeoutMs: 100,
    cooldownMs: undefined,
    quietMs: undefined,
    maxRuntimeMs: undefined,
    link: "auto",
    seed: 1,
    shard: { index: 0, count: 1 },
    senders: undefined,
    resume: undefined,
    report: ["open"],
    interfaceName: undefined,
    sourceAddresses: { v4: undefined, v6: undefined },
    sourcePort: undefined,
    gatewayMac: undefined,
    capturePath: undefined,
    ...overrides,
  };
}

/** How a test's targets are reached: by the kernel, through one gateway, or on the link itself. */
export type Reach = "kernel" | "gateway" | "on-link";

const WAYS: Readonly<Record<Reach, Pick<Route, "via" | "gateway">>> = {
  kernel: { via: "kernel", gateway: undefined },
  gateway: { via: "frame", gateway: [0, 0, 0, FIRST_IPV4 + 254] },
  "on-link": { via: "frame", gateway: undefined },
};

/** Routes for these stretches, each reached as the list says; its last entry holds for all that follow. */
export function routedTargets(stretches: Stretches, reaches: readonly Reach[]): RoutedTargets {
  const routes: Route[] = [];
  const runs: WayRun[] = [];
  let hopCount = 0;
  for (let i = 0; i < stretches.offsets.length - 1; i++) {
    const { family, count } = stretchAt(stretches, i);
    const reach = reaches[i] ?? reaches.at(-1) ?? "kernel";
    const hopStep = reach === "on-link" ? 1 : 0;
    runs.push({ count, route: i, firstHop: reach === "kernel" ? -1 : hopCount, hopStep });
    if (reach !== "kernel") hopCount += hopStep === 1 ? count : 1;
    routes.push({
      ...WAYS[reach],
      family,
      interfaceName: `test${i}`,
      interfaceIndex: i + 1,
      source: [0, 0, 0, FIRST_IPV4 + 253],
      isForced: false,
      mac: new Uint8Array(reach === "kernel" ? 0 : 6),
      txQueues: 1,
    });
  }
  return { routes, stretches, ways: newWayTable(runs), hopCount, broadcast: [] };
}

const WAY: Way = { probing: "packets", frameLink: "packet", lanes: 1, firstSourcePort: FIRST_SOURCE_PORT };

/**
 * The plan of a request, by packets through the kernel if not said otherwise.
 * @param way `maxBits`: of the answered set; a few make a scan of several windows
 */
export function aPlan(
  overrides: Partial<ScanRequest> = {},
  way: Partial<Way> & { readonly reaches?: readonly Reach[]; readonly maxBits?: number } = {},
): WorkerPlan {
  const request = aRequest(overrides);
  const { reaches = ["kernel"], maxBits, ...rest } = way;
  const routed = routedTargets(stretchesOf(request.addresses), reaches);
  return compilePlan(request, routed, { ...WAY, ...rest }, { k0: 1, k1: 2 }, maxBits);
}

/** Lets a host on the link have a hardware address. */
export function learnHop({ neighbours }: WorkerPlan, hop: number): void {
  neighbours.macHigh[hop] = 0x0200;
  neighbours.macLow[hop] = hop + 1;
}

/** As after the search for neighbours. */
export function readyNeighbours({ neighbours }: WorkerPlan): void {
  Atomics.store(neighbours.ready, 0, 1);
}
