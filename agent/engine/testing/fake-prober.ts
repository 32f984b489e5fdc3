/** A prober that sends nothing, in simulated time: it writes down every probe, and the test answers or refuses them. */

import type { Prober } from "../link/prober.ts";
import { BATCH_PACKETS } from "../link/transmitter.ts";
import { TCP_SYN } from "../packet/probe-kind.ts";

export interface SentProbe {
  readonly addressNumber: number;
  readonly kind: number;
  readonly port: number;
  readonly payload: number;
  readonly sourcePort: number;
  readonly atMs: number;
}

/** Time that passes only when somebody waits. */
export interface Clock {
  nowMs: number;
}

/** What one look at the clock costs: a loop that never waits must get on too. */
const TURN_MS = 0.01;

export class FakeProber implements Prober {
  readonly sent: SentProbe[] = [];
  prepared = 0;
  roomLeft = BATCH_PACKETS;
  underWay = 0;
  /** Addresses that are not there. */
  absent: ReadonlySet<number> = new Set();
  /** Called with what each flush sends, and after each wait; may refuse by `refuse`, and stop the scan. */
  onFlush: (probes: readonly SentProbe[]) => void = () => undefined;
  onIdle: (nowMs: number) => void = () => undefined;
  /** Whether the kernel takes this probe. */
  accepts: (probe: SentProbe) => boolean = () => true;
  private readonly time: Clock;
  private added: SentProbe[] = [];
  private refused = 0;
  private idles = 0;
  private readonly maxIdles: number;

  /** @param maxIdles waits after which the scan is taken to hang */
  constructor(time: Clock, maxIdles = 1_000_000) {
    this.time = time;
    this.maxIdles = maxIdles;
  }

  prepare(): void {
    this.prepared++;
  }

  links(): readonly string[] {
    return ["fake"];
  }

  notes(): readonly string[] {
    return [];
  }

  room(): number {
    this.time.nowMs += TURN_MS;
    return this.roomLeft;
  }

  add(addressNumber: number, kind: number, port: number, payload: number, sourcePort: number): boolean {
    if (this.absent.has(addressNumber)) return false;
    if (this.added.length >= this.roomLeft) throw new Error("more probes than there is room for");
    this.added.push({ addressNumber, kind, port, payload, sourcePort, atMs: this.time.nowMs });
    return true;
  }

  addSyns(count: number, addressNumbers: Float64Array, ports: Uint16Array, sourcePort: number): number {
    let added = 0;
    for (let i = 0; i < count; i++) {
      if (this.add(addressNumbers[i] ?? 0, TCP_SYN, ports[i] ?? 0, 0, sourcePort)) added++;
    }
    return added;
  }

  flush(): number {
    const taken = this.added.filter((probe) => this.accepts(probe));
    this.refused += this.added.length - taken.length;
    this.added = [];
    this.sent.push(...taken);
    this.onFlush(taken);
    return taken.length;
  }

  refusals(): { readonly count: number; readonly reason: string } {
    return { count: this.refused, reason: this.refused === 0 ? "" : "ENOBUFS" };
  }

  pending(): number {
    return this.underWay;
  }

  idle(ms: number): void {
    if (++this.idles > this.maxIdles) throw new Error("the sender waits for ever");
    this.time.nowMs += Math.max(TURN_MS, ms);
    this.onIdle(this.time.nowMs);
  }

  close(): void {
    // Nothing is open.
  }
}
