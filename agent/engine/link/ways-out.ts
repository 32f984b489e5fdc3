/**
 * How packets to an address leave this host, as the kernel says and the user's options allow.
 * Addresses that leave alike share one route. Cutting the targets so that one question is enough is up to `route.ts`.
 */

import { PortolanError, UsageError } from "#shared/errors.ts";
import { formatAddressRange } from "#shared/net/target-spec.ts";
import { type AddressFamily, type AddressWords, ipv6OfWords } from "../targets/address-words.ts";
import { ARPHRD_ETHER, countTxQueues, type LinkInfo, type Netlink } from "./netlink.ts";
import type { RouteAnswer } from "./netlink-routes.ts";
import type { Route, RouteOptions } from "./route-types.ts";
import { forcedInterface, forcedSource } from "./route-options.ts";

/** What routing asks of the kernel. */
export type RoutingTables = Pick<
  Netlink,
  "links" | "addresses" | "ipv4Prefixes" | "ipv6Prefixes" | "routeTo" | "hasRouteOver"
>;

/** The addresses in question, as text for people. */
type Stretch = () => string;

export class WaysOut {
  readonly routes: Route[] = [];
  private readonly kernel: RoutingTables;
  private readonly options: RouteOptions;
  private readonly links: ReadonlyMap<number, LinkInfo>;
  private readonly forced: LinkInfo | undefined;
  private readonly numbers = new Map<string, number>();
  /** By family: the address that the user asked for, looked up at the first question. */
  private readonly sources = new Map<AddressFamily, AddressWords | undefined>();

  /** @throws UsageError NO_SUCH_INTERFACE or INTERFACE_DOWN */
  constructor(kernel: RoutingTables, options: RouteOptions) {
    this.kernel = kernel;
    this.options = options;
    this.links = new Map(kernel.links().map((link) => [link.index, link]));
    this.forced = forcedInterface(this.links, options.interfaceName);
  }

  /**
   * Number of the route to `target`, or "broadcast" where the address means every host of a link.
   * @throws PortolanError NO_ROUTE or NO_ADDRESS, with the whole stretch in the message
   * @throws UsageError INTERFACE_NEEDED, NO_SUCH_ADDRESS or NO_ADDRESS
   */
  routeOf(family: AddressFamily, target: AddressWords, stretch: Stretch): number | "broadcast" {
    if (isUnspecified(target) && family === 4) return "broadcast";
    if (isLinkLocal(family, target) && this.forced === undefined) {
      throw new UsageError(
        "INTERFACE_NEEDED",
        `${stretch()}: link-local addresses exist on every link; say which one with --interface`,
      );
    }
    const source = this.sourceFor(family);
    const linkIndex = this.forced?.index ?? 0;
    const answer = this.kernel.routeTo(family, target, { linkIndex, source });
    if (answer.kind === "none") throw this.noRoute(family, stretch(), answer.reason);
    if (answer.kind === "broadcast") return "broadcast";
    if (answer.kind === "multicast" || isUnspecified(target)) {
      throw this.noRoute(family, stretch(), "such addresses belong to no one host; exclude them");
    }
    const link = this.links.get(answer.linkIndex);
    if (link === undefined || !this.obeysInterface(family, target, answer)) {
      throw this.noRoute(family, stretch(), "");
    }
    if (answer.source === undefined) {
      throw new PortolanError(
        "NO_ADDRESS",
        `this host has no IPv${family} address to send from to ${stretch()} over ${link.name}`,
      );
    }
    return this.numberOf(family, answer.source, answer, link);
  }

  private sourceFor(family: AddressFamily): AddressWords | undefined {
    if (!this.sources.has(family)) {
      this.sources.set(family, forcedSource(this.kernel, this.options, family, this.forced));
    }
    return this.sources.get(family);
  }

  /** This host's own addresses are reached over loopback whatever was asked for. */
  private obeysInterface(family: AddressFamily, target: AddressWords, answer: RouteAnswer): boolean {
    if (this.forced === undefined || answer.kind === "own") return true;
    if (answer.linkIndex !== this.forced.index) return false;
    if (family === 6 || answer.gateway !== undefined) return true;
    return this.kernel.hasRouteOver(family, target, this.forced.index);
  }

  private noRoute(family: AddressFamily, stretch: string, reason: string): PortolanError {
    const kind = family === 6 ? "IPv6 route" : "route";
    const over = this.forced === undefined ? "" : ` over ${this.forced.name}`;
    const because = reason === "" ? "" : `: ${reason}`;
    return new PortolanError("NO_ROUTE", `no ${kind} to ${stretch} from this host${over}${because}`);
  }

  private numberOf(family: AddressFamily, source: AddressWords, answer: RouteAnswer, link: LinkInfo): number {
    const byFrame =
      !this.options.forceKernel && answer.kind === "host" && !answer.kernelOnly && speaksEthernet(link);
    const gateway = byFrame ? answer.gateway : undefined;
    const key = [family, link.index, byFrame, source, gateway ?? "none"].join(" ");
    const known = this.numbers.get(key);
    if (known !== undefined) return known;
    const number = this.routes.length;
    this.numbers.set(key, number);
    this.routes.push({
      family,
      interfaceName: link.name,
      interfaceIndex: link.index,
      via: byFrame ? "frame" : "kernel",
      source,
      mac: byFrame ? link.mac : new Uint8Array(0),
      gateway,
      isForced: this.forced !== undefined,
      txQueues: byFrame ? countTxQueues(link.name) : 1,
    });
    return number;
  }
}

/** Hosts on the link are found by ARP or neighbour discovery, and frames carry the addresses so found. */
export function speaksEthernet({ type, noArp, mac }: LinkInfo): boolean {
  return type === ARPHRD_ETHER && !noArp && mac.length === 6;
}

/** fe80::/10 (RFC 4291, 2.5.6) */
function isLinkLocal(family: AddressFamily, [w0]: AddressWords): boolean {
  return family === 6 && w0 >>> 22 === 0xfe80 >>> 6;
}

/** 0.0.0.0 was the broadcast address once (RFC 1122, 3.3.6); :: is no address at all. */
function isUnspecified(words: AddressWords): boolean {
  return words.every((word) => word === 0);
}

/** For messages: as people write it, a network where it is one. */
export function formatStretch(family: AddressFamily, first: AddressWords, last: AddressWords): string {
  return family === 4
    ? formatAddressRange({ first: first[3] >>> 0, last: last[3] >>> 0 })
    : formatAddressRange({ first: ipv6OfWords(first), last: ipv6OfWords(last) });
}
