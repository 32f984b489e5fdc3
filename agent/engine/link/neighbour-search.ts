/** Asks for everybody who is missing, on all links together, in three paced rounds: the waiting is done once. */

import { POLLIN } from "../../ffi/constants.ts";
import { libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { Pacer } from "../pacer.ts";
import { addressAfter, type AddressWords } from "../targets/address-words.ts";
import type { AskedAddresses } from "./asked-addresses.ts";
import { NeighbourRequest, NeighbourSocket } from "./neighbour-socket.ts";
import type { Route } from "./route-types.ts";

/** How long each round waits for answers; answers to earlier rounds count in later ones. Absent hosts cost all of it. */
const ROUND_WAIT_MS = [100, 150, 250] as const;
/** Broadcasts burden every host of the link, whatever rate the scan may have. */
const MAX_ASKED_PPS = 5_000;
const MAX_SLEEP_MS = 100;

/** Next hops on one link that are asked for alike: same family, same address of ours. */
export interface AskedLink {
  /** Any one of the routes over this link. */
  readonly route: Route;
  readonly source: AddressWords;
  readonly addresses: AskedAddresses;
}

/** Where what is found is written. */
export interface NeighbourBook {
  isKnown(hop: number): boolean;
  /** The first answer stands. Returns whether this is it. */
  learn(hop: number, macHigh: number, macLow: number): boolean;
}

/**
 * Returns as soon as everybody is known.
 * @param ratePps the scan's present limit; 0 is unlimited
 * @param stopped true ends the search with what was found
 * @param leaveOpen takes what is to be closed when nobody waits
 * @returns false where it was ended so
 * @throws SystemCallError
 */
export function searchNeighbours(
  links: readonly AskedLink[],
  book: NeighbourBook,
  ratePps: () => number,
  stopped: () => boolean,
  leaveOpen: (close: () => void) => void,
): boolean {
  // A gateway that is known already needs no socket.
  const missing = countMissing(links, book);
  if (missing === 0) return true;
  const socket = new NeighbourSocket();
  leaveOpen(() => socket.close());
  return searchOn(socket, links, book, missing, ratePps, stopped);
}

function searchOn(
  socket: NeighbourSocket,
  links: readonly AskedLink[],
  book: NeighbourBook,
  missingAtFirst: number,
  ratePps: () => number,
  stopped: () => boolean,
): boolean {
  let missing = missingAtFirst;
  const requests = links.map(
    ({ route, source }) => new NeighbourRequest(route.family, route.interfaceIndex, route.mac, source),
  );
  const listeners = pollSet(socket);
  const pacer = new Pacer(askingRate(ratePps()), performance.now());

  /** Passes at most `ms`, taking in answers. False when there is no use in going on. */
  const pass = (ms: number): boolean => {
    const timeoutMs = Math.min(Math.ceil(ms), MAX_SLEEP_MS);
    if (libc.poll(listeners.address, 1, timeoutMs) > 0) {
      socket.receive((family, interfaceIndex, address, macHigh, macLow) => {
        for (const { route, addresses } of links) {
          if (route.family !== family || route.interfaceIndex !== interfaceIndex) continue;
          for (const hop of addresses.hopsOf(address)) if (book.learn(hop, macHigh, macLow)) missing--;
        }
      });
    }
    return missing > 0 && !stopped();
  };

  for (const waitMs of ROUND_WAIT_MS) {
    for (const [i, { addresses }] of links.entries()) {
      const request = requests[i];
      if (request === undefined) continue;
      for (const { first, count, firstHop } of addresses.stretches()) {
        for (let within = 0; within < count; within++) {
          if (book.isKnown(firstHop + within)) continue;
          pacer.setRate(askingRate(ratePps()), performance.now());
          while (pacer.take(performance.now(), 1) === 0) {
            if (!pass(pacer.waitMs(performance.now()))) return missing === 0;
          }
          request.setTarget(addressAfter(first, within));
          socket.ask(request);
        }
      }
    }
    const untilMs = performance.now() + waitMs;
    for (let leftMs: number = waitMs; leftMs > 0; leftMs = untilMs - performance.now()) {
      if (!pass(leftMs)) return missing === 0;
    }
  }
  return true;
}

function countMissing(links: readonly AskedLink[], book: NeighbourBook): number {
  let missing = 0;
  for (const { addresses } of links) {
    for (const { firstHop, count } of addresses.stretches()) {
      for (let hop = firstHop; hop < firstHop + count; hop++) if (!book.isKnown(hop)) missing++;
    }
  }
  return missing;
}

function pollSet({ fd }: NeighbourSocket): PinnedMemory {
  const set = new PinnedMemory(8);
  set.view.setInt32(0, fd, true);
  set.view.setInt16(4, POLLIN, true);
  return set;
}

function askingRate(ratePps: number): number {
  return ratePps === 0 ? MAX_ASKED_PPS : Math.min(ratePps, MAX_ASKED_PPS);
}
