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
import { type Neighbours, resolveNeighbours } from "./neighbours.ts";
import { PacketLink } from "./packet-link.ts";
import { RawLink } from "./raw-link.ts";
import type { RouteSegment } from "./route.ts";
import { BATCH_PACKETS } from "./send-batch.ts";
import { buildSynTemplate } from "../packet/syn.ts";
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
  readonly viaPacket: boolean;
  readonly macHigh: number;
  readonly macLow: number;
  /** MAC addresses of the targets themselves, or of the one gateway. */
  readonly hops: Neighbours | undefined;
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
    const gateways = new Map<string, Neighbours>();
    this.paths = this.plan.segments.map((segment, i) => this.findPath(segment, i, gateways));
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
    if (!path.viaPacket || hops === undefined) {
      this.raw.add(k0, k1, segment.source, target, sourcePort, port);
      return true;
    }
    const hop = segment.gateway === undefined ? target - hops.first : 0;
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
    return this.plan.answered.exact && answers === this.plan.space.size;
  }

  private findPath(segment: RouteSegment, i: number, gateways: Map<string, Neighbours>): Path {
    const view = new DataView(segment.mac.buffer, segment.mac.byteOffset, segment.mac.byteLength);
    if (segment.via === "raw") {
      return { segment, viaPacket: false, macHigh: 0, macLow: 0, hops: undefined };
    }
    const mac = { macHigh: view.getUint16(0), macLow: view.getInt32(2) };
    if (segment.gateway === undefined) {
      const hops = this.resolve(segment, segment.first, segment.last);
      this.noteMissing(hops, this.plan.space.offsets[i] ?? 0);
      return { segment, viaPacket: true, ...mac, hops };
    }
    const name = `${segment.interfaceIndex} ${segment.gateway}`;
    const hops = gateways.get(name) ?? this.resolve(segment, segment.gateway, segment.gateway);
    gateways.set(name, hops);
    // A gateway that does not answer our ARP may still be known to the kernel: let the kernel route.
    const known = hops.macHigh[0] !== 0 || hops.macLow[0] !== 0;
    return { segment, viaPacket: known, ...mac, hops };
  }

  private resolve(segment: RouteSegment, first: number, last: number): Neighbours {
    return resolveNeighbours(
      segment,
      first,
      last,
      counter(this.control, RATE_PPS),
      () => flag(this.control, STOP) !== RUN,
    );
  }

  private noteMissing(hops: Neighbours, firstNumber: number): void {
    hops.macHigh.forEach((high, i) => {
      if (high === 0 && hops.macLow[i] === 0) this.missing.push(firstNumber + i);
    });
  }
}
