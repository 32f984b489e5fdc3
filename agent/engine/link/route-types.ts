/** Ways out of this host, and the targets that take each: what routing finds out before a scan, once. */

import type { AddressFamily, AddressWords } from "../targets/address-words.ts";
import type { Stretches } from "../targets/stretches.ts";
import type { WayTable } from "./way-table.ts";

export interface Route {
  readonly family: AddressFamily;
  readonly interfaceName: string;
  readonly interfaceIndex: number;
  /** `kernel`: the kernel routes each packet. `frame`: we write Ethernet frames to the gateway, or to the host itself. */
  readonly via: "kernel" | "frame";
  /** Our address towards these targets. */
  readonly source: AddressWords;
  /** Our hardware address; empty where the kernel routes. */
  readonly mac: Uint8Array;
  readonly gateway: AddressWords | undefined;
  /** Somebody named the interface: where the kernel routes, it must not choose another. */
  readonly isForced: boolean;
  /** Transmit queues of the interface; each can have a sender of its own. */
  readonly txQueues: number;
}

export interface RoutedTargets {
  readonly routes: readonly Route[];
  /** The targets, numbered. */
  readonly stretches: Stretches;
  readonly ways: WayTable;
  /** Entries that the neighbour table needs. */
  readonly hopCount: number;
  /** Broadcast addresses among the targets, as text. They have no number: a probe to one would reach every host. */
  readonly broadcast: readonly string[];
}

/** What a user may force. */
export interface RouteOptions {
  /** Let the kernel route every packet. */
  readonly forceKernel: boolean;
  readonly interfaceName: string | undefined;
  /** Our address, one for each family at most. */
  readonly sourceAddresses: { readonly v4: number | undefined; readonly v6: bigint | undefined };
}

/**
 * Hardware addresses of next hops, in shared memory: upper 16 and lower 32 bits; 0 and 0 where nobody answered.
 * `ready` is one word: 0 until everybody who answers has been heard.
 */
export interface NeighbourTable {
  readonly ready: Int32Array;
  readonly macHigh: Uint16Array;
  readonly macLow: Int32Array;
}
