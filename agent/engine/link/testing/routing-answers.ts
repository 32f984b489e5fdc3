/**
 * A program for tests to run inside a network namespace: routes the targets it is given on stdin, finds the neighbours
 * where it is told to, and prints what came out as text and JSON.
 */

import { PortolanError } from "#shared/errors.ts";
import { addressSetOf } from "#shared/net/address-set.ts";
import { parseIpv4 } from "#shared/net/ipv4.ts";
import { parseIpv6 } from "#shared/net/ipv6.ts";
import { type AddressFamily, type AddressWords, formatWords } from "../../targets/address-words.ts";
import { macOfHop } from "../neighbour-table.ts";
import { newNeighbourTable, resolveNeighbours } from "../neighbours.ts";
import { routeTargets } from "../route.ts";
import type { RouteSegment } from "../way-table.ts";
import { allSegments } from "./segments.ts";

export interface RoutingQuestion {
  /** Pairs of first and last address, sorted and disjoint. */
  readonly v4?: readonly (readonly [string, string])[];
  readonly v6?: readonly (readonly [string, string])[];
  readonly forceKernel?: boolean;
  readonly interfaceName?: string;
  readonly source4?: string;
  readonly source6?: string;
  readonly gatewayMac?: string;
  readonly resolve?: boolean;
}

export interface RoutedSegment {
  readonly first: string;
  readonly count: number;
  readonly interfaceName: string;
  readonly via: "frame" | "kernel";
  readonly source: string;
  readonly gateway: string | undefined;
  /** Of each next hop, in the order of the table; "" where nobody answered. */
  readonly macs: readonly string[];
}

export interface RoutingAnswers {
  readonly segments: readonly RoutedSegment[];
  readonly routes: number;
  readonly hopCount: number;
  readonly broadcast: readonly string[];
  readonly ready: number;
}

export interface RoutingRefusal {
  readonly error: { readonly name: string; readonly code: string; readonly message: string };
}

function answer(question: RoutingQuestion): RoutingAnswers {
  const v4 = (question.v4 ?? []).map(([first, last]) => ({ first: number4(first), last: number4(last) }));
  const v6 = (question.v6 ?? []).map(([first, last]) => ({ first: number6(first), last: number6(last) }));
  const routed = routeTargets(addressSetOf(v4, v6), {
    forceKernel: question.forceKernel ?? false,
    interfaceName: question.interfaceName,
    sourceAddresses: {
      v4: question.source4 === undefined ? undefined : number4(question.source4),
      v6: question.source6 === undefined ? undefined : number6(question.source6),
    },
  });
  const { routes, hopCount, broadcast } = routed;
  const gatewayMac = question.gatewayMac === undefined ? undefined : Uint8Array.fromHex(question.gatewayMac);
  const table = newNeighbourTable(routed, gatewayMac);
  if (question.resolve === true) {
    const open: (() => void)[] = [];
    resolveNeighbours(
      routed,
      table,
      () => 0,
      () => false,
      (close) => open.push(close),
    );
    for (const close of open) close();
  }
  const text = (family: AddressFamily, words: AddressWords | undefined): string | undefined =>
    words === undefined ? undefined : formatWords(family, words);
  const macsOf = ({ firstHop, hopStep, count }: RouteSegment): string[] => {
    const hops = firstHop < 0 ? 0 : hopStep === 0 ? 1 : count;
    return Array.from({ length: hops }, (_, i) => {
      const mac = macOfHop(table, firstHop + i);
      if (mac === undefined) return "";
      return (mac.macHigh * 2 ** 32 + (mac.macLow >>> 0)).toString(16).padStart(12, "0");
    });
  };
  return {
    routes: routes.length,
    hopCount,
    broadcast,
    ready: table.ready[0] ?? 0,
    segments: allSegments(routed).flatMap((segment) => {
      const route = routes[segment.route];
      if (route === undefined) return [];
      return [
        {
          first: formatWords(segment.family, segment.first),
          count: segment.count,
          interfaceName: route.interfaceName,
          via: route.via,
          source: formatWords(route.family, route.source),
          gateway: text(route.family, route.gateway),
          macs: macsOf(segment),
        },
      ];
    }),
  };
}

function number4(address: string): number {
  const value = parseIpv4(address);
  if (value === undefined) throw new Error(`${address} is no IPv4 address`);
  return value;
}

function number6(address: string): bigint {
  const value = parseIpv6(address);
  if (value === undefined) throw new Error(`${address} is no IPv6 address`);
  return value;
}

function answerOrRefusal(question: RoutingQuestion): RoutingAnswers | RoutingRefusal {
  try {
    return answer(question);
  } catch (error) {
    if (!(error instanceof PortolanError)) throw error;
    return { error: { name: error.name, code: error.code, message: error.message } };
  }
}

if (import.meta.main) {
  await Bun.write(Bun.stdout, JSON.stringify(answerOrRefusal(await Bun.stdin.json())));
}
