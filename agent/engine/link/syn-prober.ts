/** Probes with SYN packets: picks the link of each target's route, and knows the next hop of each. */

import {
  addTo,
  CLOSED,
  type ControlBlock,
  counter,
  FILTERED_BY_ANSWER,
  flag,
  HOSTS_UNREACHABLE,
  OPEN,
  RATE_PPS,
  RUN,
  sleepUnlessStopped,
  STOP,
} from "../control-block.ts";
import { isResolved, neighbourNumber, type Neighbours, resolveNeighbours } from "./neighbours.ts";
import { PacketLink } from "./packet-link.ts";
import { RawLink } from "./raw-link.ts";
import type { RouteSegment } from "./route.ts";
import { BATCH_PACKETS } from "./send-batch.ts";
import { buildSynTemplate } from "../packet/syn.ts";
import { normalizeRanges } from "#shared/net/ranges.ts";
import type { WorkerPlan } from "../plan.ts";
import type { Prober } from "./prober.ts";
import { rangeOfNumber } from "../targets/space.ts";

const SETTLE_STEP_MS = 20;
/**
 * An answer that comes during the next pass still counts, so waiting between passes saves a few probes and no answer.
 * Only after the last pass must the whole time be given.
 */
const SHARE_BETWEEN_PASSES = 0.25;

/** A route with its next hops found. */
interface Path {
  readonly segment: RouteSegment;
  /** Undefined where the kernel routes. */
  readonly hops: Neighbours | undefined;
  /** Number among `hops` of the gateway, or of the segment's first address. */
  readonly firstHop: number;
  readonly macHigh: number;
  readonly macLow: number;
}

export class SynProber implements Prober {
  private readonly plan: WorkerPlan;
  private readonly control: ControlBlock;
  private readonly raw: RawLink;
  private readonly packet: PacketLink;
  private paths: readonly Path[] = [];
  private readonly missing: number[] = [];

  /** @throws SystemCallError EPERM without CAP_NET_RAW */
  constructor(plan: WorkerPlan) {
    const template = buildSynTemplate();
    this.plan = plan;
    this.control = plan.control;
    this.raw = new RawLink(template);
    this.packet = new PacketLink(template);
  }

  prepare(): void {
    const hops = this.resolveHops();
    this.paths = this.plan.segments.map((segment) =>
      pathOf(segment, segment.via === "packet" ? hops.get(linkName(segment)) : undefined),
    );
    if (flag(this.control, STOP) !== RUN) return;
    this.paths.forEach((path, i) => this.noteMissing(path, this.plan.space.offsets[i] ?? 0));
    addTo(this.control, HOSTS_UNREACHABLE, this.missing.length);
  }

  room(): number {
    return BATCH_PACKETS;
  }

  add(addressNumber: number, port: number, pass: number): boolean {
    const { starts, offsets } = this.plan.space;
    const { k0, k1 } = this.plan.cookie;
    const range = rangeOfNumber(offsets, addressNumber);
    const path = this.paths[range];
    if (path === undefined) return false;
    const { segment, hops } = path;
    const target = (starts[range] ?? 0) + addressNumber - (offsets[range] ?? 0);
    const sourcePort = this.plan.firstSourcePort + pass - 1;
    if (hops === undefined) {
      this.raw.add(k0, k1, segment.source, target, sourcePort, port);
      return true;
    }
    const hop = path.firstHop + (segment.gateway === undefined ? target - segment.first : 0);
    const hopHigh = hops.macHigh[hop] ?? 0;
    const hopLow = hops.macLow[hop] ?? 0;
    if (hopHigh === 0 && hopLow === 0) return false;
    this.packet.add(
      k0,
      k1,
      segment.source,
      target,
      sourcePort,
      port,
      segment.interfaceIndex,
      path.macHigh,
      path.macLow,
      hopHigh,
      hopLow,
    );
    return true;
  }

  flush(): number {
    return this.raw.batch.flush() + this.packet.batch.flush();
  }

  refusals(): { readonly count: number; readonly reason: string } {
    const [raw, packet] = [this.raw.batch, this.packet.batch];
    return { count: raw.refused + packet.refused, reason: packet.lastRefusal || raw.lastRefusal };
  }

  /** The receiver goes on listening: nothing that was sent is forgotten. */
  pending(): number {
    return 0;
  }

  idle(ms: number): void {
    sleepUnlessStopped(this.control, ms);
  }

  settle(lastPass: boolean): void {
    const waitMs = this.plan.portTimeoutMs * (lastPass ? 1 : SHARE_BETWEEN_PASSES);
    const untilMs = performance.now() + waitMs;
    while (flag(this.control, STOP) === RUN && performance.now() < untilMs && !this.allAnswered()) {
      sleepUnlessStopped(this.control, SETTLE_STEP_MS);
    }
  }

  unreachable(): readonly number[] {
    return this.missing;
  }

  close(): void {
    this.raw.batch.close();
    this.packet.batch.close();
  }

  private allAnswered(): boolean {
    const answers =
      counter(this.control, OPEN) + counter(this.control, CLOSED) + counter(this.control, FILTERED_BY_ANSWER);
    const { size, ports } = this.plan.space;
    // Nothing was sent to hosts that are not there, so nothing is awaited from them.
    const awaited = size - this.missing.length * ports.length;
    return this.plan.answered.exact && answers === awaited;
  }

  /** By link: everything on it that must be known, gateways and targets, asked for together. */
  private resolveHops(): Map<string, Neighbours> {
    const byLink = Map.groupBy(
      this.plan.segments.filter(({ via }) => via === "packet"),
      linkName,
    );
    const hops = new Map<string, Neighbours>();
    for (const [name, segments] of byLink) {
      const [link] = segments;
      if (link === undefined) continue;
      const wanted = segments.map(({ gateway, first, last }) =>
        gateway === undefined ? { first, last } : { first: gateway, last: gateway },
      );
      const ratePps = (): number => counter(this.control, RATE_PPS);
      const stopped = (): boolean => flag(this.control, STOP) !== RUN;
      hops.set(name, resolveNeighbours(link, normalizeRanges(wanted), ratePps, stopped));
    }
    return hops;
  }

  private noteMissing({ segment, hops, firstHop }: Path, firstNumber: number): void {
    if (hops === undefined || segment.gateway !== undefined) return;
    for (let i = 0; i <= segment.last - segment.first; i++) {
      if (!isResolved(hops, firstHop + i)) this.missing.push(firstNumber + i);
    }
  }
}

/** Segments of one link ask from the same address and share what is found. */
function linkName({ interfaceIndex, source }: RouteSegment): string {
  return `${interfaceIndex} ${source}`;
}

function pathOf(segment: RouteSegment, hops: Neighbours | undefined): Path {
  const viaKernel = { segment, hops: undefined, firstHop: 0, macHigh: 0, macLow: 0 };
  if (hops === undefined) return viaKernel;
  const firstHop = neighbourNumber(hops, segment.gateway ?? segment.first);
  // A gateway that does not answer our ARP may still be known to the kernel: let the kernel route.
  if (segment.gateway !== undefined && !isResolved(hops, firstHop)) return viaKernel;
  const mac = new DataView(segment.mac.buffer, segment.mac.byteOffset, segment.mac.byteLength);
  return { segment, hops, firstHop, macHigh: mac.getUint16(0), macLow: mac.getInt32(2) };
}
