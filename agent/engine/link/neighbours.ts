/**
 * Hardware addresses of next hops: gateways, and targets on the links themselves. Makes their table, and fills it
 * before a scan. Hosts on a link that do not answer are not there; probing their ports would only wait for nothing.
 */

import type { AddressWords } from "../targets/address-words.ts";
import { AskedAddresses, type AskedStretch } from "./asked-addresses.ts";
import { type AskedLink, type NeighbourBook, searchNeighbours } from "./neighbour-search.ts";
import { hasMac } from "./neighbour-table.ts";
import { Netlink, type OwnAddress } from "./netlink.ts";
import type { NeighbourTable, Route, RoutedTargets } from "./route-types.ts";

/** Whose next hops are looked for. */
export type AskedTargets = Pick<RoutedTargets, "routes" | "ways" | "stretches">;

/** Values of `ready`, which is 0 during the search: done to the end; ended early, so that who is missing may be there. */
const COMPLETE = 1;
const BROKEN_OFF = 2;

/** @param gatewayMac six bytes to take for every gateway, so that none is asked */
export function newNeighbourTable(
  routed: Pick<RoutedTargets, "ways" | "hopCount">,
  gatewayMac: Uint8Array | undefined,
): NeighbourTable {
  const table = {
    ready: new Int32Array(new SharedArrayBuffer(4)),
    macHigh: new Uint16Array(new SharedArrayBuffer(routed.hopCount * 2)),
    macLow: new Int32Array(new SharedArrayBuffer(routed.hopCount * 4)),
  };
  if (gatewayMac === undefined) return table;
  const { firstHops, hopSteps } = routed.ways;
  firstHops.forEach((firstHop, run) => {
    if (firstHop >= 0 && hopSteps[run] === 0) learn(table, firstHop, gatewayMac);
  });
  return table;
}

/**
 * Fills the table, all links together. Returns as soon as everybody is known, after about a second at the latest beside
 * the time that asking takes, and makes the table ready in any case.
 * @param ratePps the scan's present limit; 0 is unlimited
 * @param stopped true ends the search with what was found
 * @param leaveOpen takes what is to be closed when nobody waits: closing takes the kernel longer than most searches
 * @throws SystemCallError
 */
export function resolveNeighbours(
  targets: AskedTargets,
  table: NeighbourTable,
  ratePps: () => number,
  stopped: () => boolean,
  leaveOpen: (close: () => void) => void,
): void {
  let complete = false;
  try {
    const links = askedLinks(targets, table);
    const book: NeighbourBook = {
      isKnown: (hop) => hasMac(table, hop),
      learn: (hop, macHigh, macLow) => learnParts(table, hop, macHigh, macLow),
    };
    complete = searchNeighbours(links, book, ratePps, stopped, leaveOpen);
  } finally {
    Atomics.store(table.ready, 0, complete ? COMPLETE : BROKEN_OFF);
    Atomics.notify(table.ready, 0);
  }
}

/** Next hops of one route. */
interface Wanted {
  readonly route: Route;
  /** One at most. */
  readonly gateways: AskedStretch[];
  /** Of targets that are asked themselves. */
  readonly runs: number[];
}

function wantedOnRoutes({ routes, ways }: AskedTargets): Wanted[] {
  const wanted = routes.map((route): Wanted => ({ route, gateways: [], runs: [] }));
  ways.routes.forEach((number, run) => {
    const entry = wanted[number];
    const firstHop = ways.firstHops[run] ?? -1;
    if (entry === undefined || firstHop < 0) return;
    const { gateway } = entry.route;
    if (ways.hopSteps[run] === 1) entry.runs.push(run);
    else if (gateway !== undefined && entry.gateways.length === 0) {
      entry.gateways.push({ first: gateway, count: 1, firstHop });
    }
  });
  return wanted.filter(({ gateways, runs }) => gateways.length + runs.length > 0);
}

/** Whom to ask on which link, from which address. What the kernel knows of gateways is taken over at once. */
function askedLinks(targets: AskedTargets, table: NeighbourTable): AskedLink[] {
  const wanted = wantedOnRoutes(targets);
  if (wanted.length === 0) return [];
  const netlink = new Netlink();
  try {
    takeOverGateways(netlink, wanted, table);
    const own = wanted.some(({ route }) => route.family === 6) ? netlink.addresses() : [];
    const askers = wanted.map(({ route, gateways, runs }) => {
      return { route, gateways, runs, source: askingAddress(route, own) };
    });
    const links = Map.groupBy(askers, ({ route, source }) =>
      [route.family, route.interfaceIndex, ...source].join(" "),
    );
    return [...links.values()].flatMap((members) => {
      const [first] = members;
      if (first === undefined) return [];
      const gateways = members.flatMap((member) => member.gateways);
      const runs = members.flatMap((member) => member.runs);
      const addresses = new AskedAddresses(first.route.family, gateways, targets, runs);
      return [{ route: first.route, source: first.source, addresses }];
    });
  } finally {
    netlink.close();
  }
}

/**
 * A gateway in use then costs no round trip, and one set by hand, which may answer nobody, is respected. Targets are
 * asked themselves: that they were there a moment ago, or that somebody wrote them down, is no answer.
 */
function takeOverGateways(netlink: Netlink, wanted: readonly Wanted[], table: NeighbourTable): void {
  if (wanted.every(({ gateways }) => gateways.length === 0)) return;
  const known = new Map(
    netlink.knownNeighbours().map(({ linkIndex, words, mac }) => [[linkIndex, ...words].join(" "), mac]),
  );
  for (const { route, gateways } of wanted) {
    for (const { first, firstHop } of gateways) {
      const mac = known.get([route.interfaceIndex, ...first].join(" "));
      if (mac?.length === 6) learn(table, firstHop, mac);
    }
  }
}

/**
 * Our address in a question. Neighbour discovery wants one of the interface itself (RFC 4861, 7.2.2), and a router that
 * is known by its link-local address may have no way to any other.
 */
function askingAddress(
  { family, source, gateway, interfaceIndex }: Route,
  own: readonly OwnAddress[],
): AddressWords {
  if (family === 4) return source;
  const here = own.filter((address) => address.family === 6 && address.linkIndex === interfaceIndex);
  const linkLocal = here.find(({ words }) => isLinkLocal(words))?.words;
  const isHere = here.some(({ words }) => words.every((word, i) => word === source[i]));
  const needsLinkLocal = !isHere || (gateway !== undefined && isLinkLocal(gateway));
  return needsLinkLocal ? (linkLocal ?? source) : source;
}

/** fe80::/10 (RFC 4291, 2.5.6) */
function isLinkLocal([w0]: AddressWords): boolean {
  return w0 >>> 22 === 0xfe80 >>> 6;
}

function learn(table: NeighbourTable, hop: number, mac: Uint8Array): void {
  const view = new DataView(mac.buffer, mac.byteOffset, mac.byteLength);
  learnParts(table, hop, view.getUint16(0), view.getInt32(2));
}

/** True where it was not known before: the first answer stands. */
function learnParts(table: NeighbourTable, hop: number, macHigh: number, macLow: number): boolean {
  if (hasMac(table, hop)) return false;
  table.macHigh[hop] = macHigh;
  table.macLow[hop] = macLow;
  return true;
}
