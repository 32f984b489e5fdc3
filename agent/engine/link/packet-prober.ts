/**
 * Probes with packets of our own: finds the way of each target and the next hop on it, and has the probe written for the
 * transmitter that goes there. What is in a packet is the writer's business, how it leaves the transmitter's.
 */

import { counter, flag, RATE_PPS, RUN, sleepUnlessStopped, STOP } from "../control-block.ts";
import { TCP_SYN } from "../packet/probe-kind.ts";
import type { WorkerPlan } from "../plan.ts";
import { stretchOfNumber } from "../targets/stretches.ts";
import { PcapWriter } from "./capture.ts";
import { isSearchOver, macOfHop } from "./neighbour-table.ts";
import { resolveNeighbours } from "./neighbours.ts";
import { openTransmitter } from "./open-transmitter.ts";
import { ProbeWriter } from "./probe-writer.ts";
import type { Prober } from "./prober.ts";
import type { Route } from "./route-types.ts";
import { BATCH_PACKETS, type Transmitter, type Wait } from "./transmitter.ts";
import { runOfNumber, type WayTable } from "./way-table.ts";

const TABLE_WAIT_MS = 100;
const STARVED_WAIT_MS = 1;

/** What a prober needs of the plan. */
export type ProberPlan = Pick<
  WorkerPlan,
  "frameLink" | "routes" | "ways" | "neighbours" | "space" | "cookie" | "lane" | "control" | "capturePath"
>;

/** Opens the way out that a route takes. */
export type OpenTransmitter = (
  route: Route,
  frameLink: WorkerPlan["frameLink"],
  lane: number,
  wait: Wait,
  tell: (note: string) => void,
) => Transmitter;

/** A route with what is found of it. One shape for all, because the hot path reads it for every probe. */
interface Path {
  readonly writer: ProbeWriter;
  readonly isV6: boolean;
  /** Each target has a hardware address of its own, in the neighbour table. */
  readonly hasOwnHops: boolean;
  /** The next hop that they share; 0 and 0 where the kernel writes frames. */
  readonly macHigh: number;
  readonly macLow: number;
  /** Our address, word by word; IPv4 has only the last. */
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
  readonly s3: number;
}

export class PacketProber implements Prober {
  private readonly plan: ProberPlan;
  private readonly open: OpenTransmitter;
  private readonly offsets: Float64Array;
  private readonly v4Firsts: Int32Array;
  private readonly v6Firsts: Int32Array;
  private readonly ways: WayTable;
  private readonly macHigh: Uint16Array;
  private readonly macLow: Int32Array;
  private readonly capture: PcapWriter | undefined;
  private readonly told: string[] = [];
  /** What was left open because closing it takes the kernel a while. */
  private readonly leftOpen: (() => void)[] = [];
  private readonly writers = new Map<string, ProbeWriter>();
  /** The values of `writers`: what is gone through for each batch. */
  private inUse: readonly ProbeWriter[] = [];
  private paths: readonly Path[] = [];
  /** Where all targets are IPv4 and go the same way to the same next hop: what most scans are made of. */
  private onlyPath: Path | undefined;
  private readonly targets = new Int32Array(BATCH_PACKETS);

  /** @throws SystemCallError EPERM without CAP_NET_RAW; UsageError FILE_NOT_WRITABLE */
  constructor(plan: ProberPlan, open: OpenTransmitter = openTransmitter) {
    this.plan = plan;
    this.open = open;
    this.offsets = plan.space.offsets;
    this.v4Firsts = plan.space.v4Firsts;
    this.v6Firsts = plan.space.v6Firsts;
    this.ways = plan.ways;
    this.macHigh = plan.neighbours.macHigh;
    this.macLow = plan.neighbours.macLow;
    this.capture = plan.capturePath === undefined ? undefined : new PcapWriter(plan.capturePath);
    try {
      // Opened before anybody waits for an answer, so that a lack of privilege shows at once.
      for (const route of plan.routes) this.writerOf(route);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  prepare(): void {
    const { plan } = this;
    const { control, neighbours } = plan;
    if (plan.lane === 0) {
      const ratePps = (): number => counter(control, RATE_PPS);
      resolveNeighbours(
        { routes: plan.routes, ways: plan.ways, stretches: plan.space },
        neighbours,
        ratePps,
        () => !this.isRunning(),
        (close) => this.leftOpen.push(close),
      );
    } else {
      while (!isSearchOver(neighbours) && this.isRunning()) {
        Atomics.wait(neighbours.ready, 0, 0, TABLE_WAIT_MS);
      }
    }
    const gatewayHops = this.gatewayHops();
    this.paths = plan.routes.map((route, place) => this.pathOf(route, gatewayHops.get(place) ?? -1));
    const first = this.paths[this.ways.routes[0] ?? 0];
    const isOnly = this.ways.routes.every((route) => this.paths[route] === first);
    if (isOnly && first?.isV6 === false && !first.hasOwnHops) this.onlyPath = first;
  }

  room(): number {
    let room = BATCH_PACKETS;
    for (const { transmitter } of this.inUse) room = Math.min(room, transmitter.room());
    // The kernel still reads what was sent: it needs a moment.
    if (room === 0) this.idle(STARVED_WAIT_MS);
    return room;
  }

  addSyns(count: number, addressNumbers: Float64Array, ports: Uint16Array, sourcePort: number): number {
    const { onlyPath } = this;
    if (onlyPath !== undefined) {
      const { writer, s3, macHigh, macLow } = onlyPath;
      writer.addSyns4(count, s3, this.ipv4Targets(count, addressNumbers), ports, sourcePort, macHigh, macLow);
      return count;
    }
    let added = 0;
    for (let i = 0; i < count; i++) {
      if (this.add(addressNumbers[i] ?? 0, TCP_SYN, ports[i] ?? 0, 0, sourcePort)) added++;
    }
    return added;
  }

  private ipv4Targets(count: number, addressNumbers: Float64Array): Int32Array {
    const { offsets, v4Firsts, targets } = this;
    const isOne = offsets.length === 2;
    for (let i = 0; i < count; i++) {
      const addressNumber = addressNumbers[i] ?? 0;
      const stretch = isOne ? 0 : stretchOfNumber(offsets, addressNumber);
      targets[i] = ((v4Firsts[stretch] ?? 0) + addressNumber - (offsets[stretch] ?? 0)) | 0;
    }
    return targets;
  }

  add(addressNumber: number, kind: number, port: number, payload: number, sourcePort: number): boolean {
    const { offsets, ways } = this;
    const run = ways.routes.length === 1 ? 0 : runOfNumber(ways, addressNumber);
    const path = this.paths[ways.routes[run] ?? 0];
    if (path === undefined) return false;
    let { macHigh, macLow } = path;
    if (path.hasOwnHops) {
      const hop = (ways.firstHops[run] ?? 0) + addressNumber - (ways.offsets[run] ?? 0);
      macHigh = this.macHigh[hop] ?? 0;
      macLow = this.macLow[hop] ?? 0;
      if (macHigh === 0 && macLow === 0) return false;
    }
    const stretch = offsets.length === 2 ? 0 : stretchOfNumber(offsets, addressNumber);
    const within = addressNumber - (offsets[stretch] ?? 0);
    if (path.isV6) {
      const { v6Firsts } = this;
      const { writer, s0, s1, s2, s3 } = path;
      const at = (stretch - this.v4Firsts.length) * 4;
      const [t0, t1] = [v6Firsts[at] ?? 0, v6Firsts[at + 1] ?? 0];
      // A stretch of IPv6 addresses lies within one /64, so only the last two words differ.
      const low = ((v6Firsts[at + 3] ?? 0) >>> 0) + within;
      const t2 = ((v6Firsts[at + 2] ?? 0) + Math.floor(low / 2 ** 32)) | 0;
      writer.add6(kind, payload, s0, s1, s2, s3, t0, t1, t2, low | 0, sourcePort, port, macHigh, macLow);
      return true;
    }
    const target = ((this.v4Firsts[stretch] ?? 0) + within) | 0;
    if (kind === TCP_SYN) path.writer.addSyn4(path.s3, target, port, sourcePort, macHigh, macLow);
    else path.writer.add4(kind, payload, path.s3, target, sourcePort, port, macHigh, macLow);
    return true;
  }

  flush(): number {
    let sent = 0;
    for (const writer of this.inUse) sent += writer.flush();
    return sent;
  }

  refusals(): { readonly count: number; readonly reason: string } {
    let count = 0;
    let reason = "";
    for (const { transmitter } of this.inUse) {
      count += transmitter.refused;
      if (transmitter.lastRefusal !== "") reason = transmitter.lastRefusal;
    }
    return { count, reason };
  }

  links(): readonly string[] {
    return this.inUse.map(({ transmitter }) => transmitter.link);
  }

  notes(): readonly string[] {
    const failed = this.capture?.failed ?? "";
    return failed === "" ? this.told : [...this.told, failed];
  }

  /** The receiver goes on listening: nothing that was sent is forgotten. */
  pending(): number {
    return 0;
  }

  idle(ms: number): void {
    sleepUnlessStopped(this.plan.control, ms);
  }

  close(): void {
    for (const { transmitter } of this.inUse) transmitter.close();
    for (const close of this.leftOpen) close();
    this.capture?.close();
  }

  private isRunning(): boolean {
    return flag(this.plan.control, STOP) === RUN;
  }

  /** One transmitter for each interface that we write frames for, and one for each family that the kernel routes. */
  private writerOf(route: Route): ProbeWriter {
    const key = route.via === "frame" ? `frame ${route.interfaceIndex}` : `kernel ${route.family}`;
    const known = this.writers.get(key);
    if (known !== undefined) return known;
    const { frameLink, lane, cookie } = this.plan;
    const wait: Wait = (ms) => {
      this.idle(ms);
      return this.isRunning();
    };
    const transmitter = this.open(route, frameLink, lane, wait, (note) => this.told.push(note));
    const writer = new ProbeWriter(transmitter, route.mac, cookie.k0, cookie.k1, this.capture);
    this.writers.set(key, writer);
    this.inUse = [...this.writers.values()];
    return writer;
  }

  /** By place of the route: the entry of its gateway in the neighbour table. */
  private gatewayHops(): ReadonlyMap<number, number> {
    const { routes, firstHops, hopSteps } = this.plan.ways;
    const hops = new Map<number, number>();
    routes.forEach((route, run) => {
      if (hopSteps[run] === 0) hops.set(route, firstHops[run] ?? -1);
    });
    return hops;
  }

  private pathOf(found: Route, gatewayHop: number): Path {
    const sharesHop = found.via === "frame" && found.gateway !== undefined;
    const gateway = sharesHop ? macOfHop(this.plan.neighbours, gatewayHop) : undefined;
    const isSilent = sharesHop && gateway === undefined;
    if (isSilent && this.isRunning()) {
      this.told.push(
        `the gateway on ${found.interfaceName} does not answer; leaving it to the kernel to reach it`,
      );
    }
    // A gateway that does not answer us may still be known to the kernel: let the kernel route.
    const route: Route = isSilent ? { ...found, via: "kernel" } : found;
    const hasOwnHops = route.via === "frame" && route.gateway === undefined;
    const [s0, s1, s2, s3] = route.source;
    return {
      writer: this.writerOf(route),
      isV6: route.family === 6,
      hasOwnHops,
      macHigh: gateway?.macHigh ?? 0,
      macLow: gateway?.macLow ?? 0,
      s0,
      s1,
      s2,
      s3,
    };
  }
}
