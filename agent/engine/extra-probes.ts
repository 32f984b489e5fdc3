/**
 * Probes that find no port but tell how much to believe: canaries to hosts that are suspected to answer on everything,
 * and soundings that measure the loss at the present rate. They go between the others, and count in the rate.
 */

import { nextCanaryHost, hasCanaryHosts } from "./accuracy/canary-queue.ts";
import { CANARIES } from "./accuracy/canary-watch.ts";
import { knownTargets } from "./accuracy/soundings.ts";
import {
  addToLane,
  flag,
  SOUNDING,
  SOUNDING_EPOCH,
  SOUNDING_EPOCHS,
  SOUNDINGS_SENT,
} from "./control-block.ts";
import type { HostCaps } from "./host-caps.ts";
import type { Prober } from "./link/prober.ts";
import { TCP_SYN } from "./packet/probe-kind.ts";
import type { WorkerPlan } from "./plan.ts";
import { canaryPort, soundingPort } from "./source-port-roles.ts";
import { networkKeyOfNumber } from "./targets/space.ts";

/** While a rate is searched for, one probe in so many is a sounding. */
const SOUNDING_EVERY = 8;
/** More soundings in one epoch measure no better and only burden those who answer. */
const MAX_SOUNDINGS = 200;
/** Soundings of one port in one epoch, where few are known. */
const MAX_SOUNDINGS_EACH = 4;
/** Canaries go to ports above the registered services, where an ordinary host has next to nothing open. */
const CANARY_PORTS = { first: 20_000, count: 45_000 } as const;

export class ExtraProbes {
  private readonly plan: WorkerPlan;
  private readonly prober: Prober;
  private readonly caps: HostCaps | undefined;
  private epoch = 0;
  private soundedInEpoch = 0;
  private nextSounding = 0;
  private sinceSounding = 0;

  constructor(plan: WorkerPlan, prober: Prober, caps: HostCaps | undefined) {
    this.plan = plan;
    this.prober = prober;
    this.caps = caps;
  }

  /** Whether hosts wait for canaries; only the first sender sends them. */
  hasCanaries(): boolean {
    return this.plan.lane === 0 && hasCanaryHosts(this.plan.canaries);
  }

  /** Whether there may be something to add. */
  isDue(): boolean {
    return this.hasCanaries() || flag(this.plan.control, SOUNDING) === 1;
  }

  /**
   * Adds what is due. Returns how many probes were added: `granted` at most, but never fewer than one host's canaries,
   * because a slow scan is not granted so many at once; it pays for them after.
   */
  add(granted: number): number {
    let added = 0;
    while (this.hasCanaries() && added + CANARIES <= Math.max(granted, CANARIES)) added += this.addCanaries();
    if (flag(this.plan.control, SOUNDING) === 1) added += this.addSoundings(Math.max(0, granted - added));
    return added;
  }

  private addCanaries(): number {
    const { plan, prober } = this;
    const addressNumber = nextCanaryHost(plan.canaries);
    const sourcePort = canaryPort(plan.firstSourcePort, plan.passes);
    const nowMs = performance.now();
    let added = 0;
    for (let i = 0; i < CANARIES; i++) {
      // Canaries go together; a capped host's further probes wait for longer instead.
      this.caps?.takeAnyway(addressNumber, networkKeyOfNumber(plan.space, addressNumber), nowMs);
      const port = CANARY_PORTS.first + Math.floor(Math.random() * CANARY_PORTS.count);
      if (prober.add(addressNumber, TCP_SYN, port, 0, sourcePort)) added++;
    }
    return added;
  }

  private addSoundings(most: number): number {
    const { plan, prober } = this;
    const epoch = flag(plan.control, SOUNDING_EPOCH);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.soundedInEpoch = 0;
    }
    const known = knownTargets(plan.soundings);
    if (known === 0 || most === 0) return 0;
    this.sinceSounding += most;
    const bearable = Math.min(MAX_SOUNDINGS, known * MAX_SOUNDINGS_EACH) - this.soundedInEpoch;
    const due = Math.min(most, Math.floor(this.sinceSounding / SOUNDING_EVERY), Math.max(0, bearable));
    this.sinceSounding %= SOUNDING_EVERY;
    const sourcePort = soundingPort(plan.firstSourcePort, plan.passes, epoch);
    let added = 0;
    for (let i = 0; i < due; i++) {
      const at = this.nextSounding++ % known;
      const addressNumber = plan.soundings.addressNumbers[at] ?? 0;
      if (!this.isFree(addressNumber)) continue;
      if (prober.add(addressNumber, TCP_SYN, plan.soundings.ports[at] ?? 0, 0, sourcePort)) added++;
    }
    this.soundedInEpoch += added;
    addToLane(plan.control, plan.lane, SOUNDINGS_SENT + (epoch % SOUNDING_EPOCHS), added);
    return added;
  }

  /** Whether the caps let a probe to this address go now; takes the moment when they do. */
  private isFree(addressNumber: number): boolean {
    const { caps, plan } = this;
    if (caps === undefined) return true;
    return caps.takeNow(addressNumber, networkKeyOfNumber(plan.space, addressNumber), performance.now());
  }
}
