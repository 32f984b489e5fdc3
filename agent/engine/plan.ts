/**
 * What a scan is to do, and its translation into what the Workers need: numbers and shared memory, nothing to look up.
 */

import type { AddressSet } from "#shared/net/address-set.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import type { PortState } from "#shared/protocol/port-state.ts";
import type { CanaryQueue } from "./accuracy/canary-queue.ts";
import type { SoundingTargets } from "./accuracy/soundings.ts";
import type { ControlBlock } from "./control-block.ts";
import type { AnsweredSet } from "./dedup.ts";
import type { NeighbourTable, Route } from "./link/route-types.ts";
import type { WayTable } from "./link/way-table.ts";
import type { CookieKey } from "./packet/cookie.ts";
import type { RecordRing } from "./records.ts";
import type { Permutation } from "./targets/permutation.ts";
import type { ProbeSpace } from "./targets/space.ts";

export const LINK_NAMES = ["auto", "xdp", "packet", "raw", "connect"] as const;
/** From the fastest to the most portable; `auto` takes the first that works. */
export type LinkName = (typeof LINK_NAMES)[number];

/** `auto` looks for the fastest rate that loses nothing; 0 is unlimited. */
export type RateLimit = number | "auto";

/** A part of a scan: the probes at positions k, k + n, k + 2n … of the whole order. */
export interface Shard {
  /** From 0. */
  readonly index: number;
  readonly count: number;
}

export interface ScanRequest {
  /** Nothing in it that must not be probed. */
  readonly addresses: AddressSet;
  /** `ports`: what is open. `hosts`: who is there; the port ranges are then not used. */
  readonly find: "ports" | "hosts";
  /** Sorted and disjoint. */
  readonly tcpPorts: readonly NumberRange[];
  readonly udpPorts: readonly NumberRange[];
  readonly ratePps: RateLimit;
  /** Probes a second to any one address, and to any one IPv4 /24 or IPv6 /64; 0 is unlimited. */
  readonly maxRatePerHostPps: number;
  readonly maxRatePerNetworkPps: number;
  /** Passes after the first, over what did not answer. */
  readonly retries: number;
  /** How long one answer may take. */
  readonly portTimeoutMs: number;
  /** The wait after the last probe; undefined is `portTimeoutMs`. */
  readonly cooldownMs: number | undefined;
  /** Where all targets are on the local link: no longer than until nothing has come for so long. Not for UDP. */
  readonly quietMs: number | undefined;
  /** The scan stops after this and is then partial. */
  readonly maxRuntimeMs: number | undefined;
  readonly link: LinkName;
  /** The same seed gives the same order of probes. */
  readonly seed: number;
  readonly shard: Shard;
  /** Sender threads; undefined lets the interface's queues decide. */
  readonly senders: number | undefined;
  /** Where an interrupted scan of the same targets stood. */
  readonly resume: ResumePoint | undefined;
  /** States to report one by one. All are counted. */
  readonly report: readonly PortState[];
  readonly interfaceName: string | undefined;
  readonly sourceAddresses: { readonly v4: number | undefined; readonly v6: bigint | undefined };
  /** The first of our ports; undefined takes free ones. */
  readonly sourcePort: number | undefined;
  /** Six bytes: used for every gateway instead of asking. */
  readonly gatewayMac: Uint8Array | undefined;
  /** A pcap file to write probes and answers to. */
  readonly capturePath: string | undefined;
}

/** Where the senders of a scan stood when it was stopped. */
export interface ResumePosition {
  /** Of the windows that a large scan is cut into; from 0. */
  readonly window: number;
  readonly pass: number;
  /** Positions done in that pass of that window by each lane; as many lanes as the scan had senders. */
  readonly lanePositions: readonly number[];
}

/** How far a scan had come when it was stopped, and what it knew. */
export interface ResumePoint extends ResumePosition {
  /** The answered set of the scan, gzip-compressed. */
  readonly answered: Uint8Array;
  /** What was counted until then: the counters of found ports, with the kernel's drops before them. */
  readonly kept: readonly number[];
  /** Probes of the first pass that were refused, and open ports that were found and not listed. */
  readonly refused: number;
  readonly withheld: number;
}

/** How probes are made: packets of our own, or the kernel's connections. */
export type Probing = "packets" | "connect";

/** Sent to each Worker once, at its start. */
export interface WorkerPlan {
  readonly find: "ports" | "hosts";
  readonly probing: Probing;
  /** The link that was chosen for routes where we write frames. */
  readonly frameLink: "xdp" | "packet";
  readonly routes: readonly Route[];
  readonly ways: WayTable;
  readonly neighbours: NeighbourTable;
  readonly space: ProbeSpace;
  readonly permutation: Permutation;
  readonly shard: Shard;
  readonly cookie: CookieKey;
  /** Pass p sends from port firstSourcePort + p - 1, so that an answer tells its pass. Canaries and soundings follow. */
  readonly firstSourcePort: number;
  readonly sourcePortCount: number;
  readonly passes: number;
  /** The wait after the last probe. */
  readonly cooldownMs: number;
  /** Any wait for answers ends when none has come for so long; Infinity where answers may take their time. */
  readonly quietMs: number;
  /** This sender's number, from 0, and how many there are. A receiver has lane 0. */
  readonly lane: number;
  readonly lanes: number;
  readonly portTimeoutMs: number;
  readonly maxRatePerHostPps: number;
  readonly maxRatePerNetworkPps: number;
  readonly resume: ResumePosition | undefined;
  readonly report: readonly PortState[];
  readonly capturePath: string | undefined;
  readonly control: ControlBlock;
  readonly answered: AnsweredSet;
  readonly records: RecordRing;
  readonly canaries: CanaryQueue;
  readonly soundings: SoundingTargets;
}
