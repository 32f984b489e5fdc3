/**
 * Cuts scopes into jobs of at most so many probes. A job is some addresses with all their ports, or some ports of one
 * address where those alone are too many. Small scopes share a job.
 */

import { type BigRange, ipv4RangesOf, ipv6RangesOf } from "#shared/net/address-ranges.ts";
import type { AddressSet } from "#shared/net/address-set.ts";
import { countPorts, formatPorts, type PortSet } from "#shared/net/port-spec.ts";
import type { NumberRange } from "#shared/net/ranges.ts";
import { formatAddressRange } from "#shared/net/target-spec.ts";
import type { JobTarget } from "#shared/protocol/job.ts";
import { MAX_TARGET_RANGES, MAX_TARGETS_PER_JOB } from "#shared/protocol/limits.ts";
import type { Scope } from "./disjoint-parts.ts";

export interface JobScope {
  readonly targets: readonly JobTarget[];
  readonly probes: number;
}

/** @param maxProbes of one job, at least 1 */
export function* splitScopes(scopes: Iterable<Scope>, maxProbes: number): Generator<JobScope> {
  const job = new GrowingJob(maxProbes);
  for (const { addresses, ports } of scopes) {
    for (const some of portsFitting(ports, maxProbes)) {
      const walk = new AddressWalk(addresses);
      const text = formatPorts(some);
      const count = countPorts(some);
      while (!walk.isDone) {
        if (job.room(count) < 1) yield job.take();
        job.add(walk.take(job.room(count), job.rangesLeft), text, count);
      }
    }
  }
  if (!job.isEmpty) yield job.take();
}

class GrowingJob {
  private readonly maxProbes: number;
  private targets: JobTarget[] = [];
  private probes = 0;
  private ranges = 0;

  constructor(maxProbes: number) {
    this.maxProbes = maxProbes;
  }

  get isEmpty(): boolean {
    return this.targets.length === 0;
  }

  get rangesLeft(): number {
    return MAX_TARGET_RANGES - this.ranges;
  }

  /** How many more addresses with so many ports fit. */
  room(ports: number): number {
    if (this.targets.length === MAX_TARGETS_PER_JOB || this.rangesLeft === 0) return 0;
    return Math.floor((this.maxProbes - this.probes) / ports);
  }

  add({ texts, count }: Stretch, ports: string, portCount: number): void {
    this.targets.push({ addresses: texts, ports });
    this.ranges += texts.length;
    this.probes += count * portCount;
  }

  /** The job. The next begins empty. */
  take(): JobScope {
    const { targets, probes } = this;
    this.targets = [];
    this.probes = 0;
    this.ranges = 0;
    return { targets, probes };
  }
}

interface Stretch {
  readonly texts: string[];
  /** Addresses. */
  readonly count: number;
}

/** Takes the addresses of a set in order, some at a time. */
class AddressWalk {
  private readonly ranges: Iterator<NumberRange | BigRange>;
  private current: NumberRange | BigRange | undefined;

  constructor(set: AddressSet) {
    this.ranges = rangesOf(set);
    this.current = this.nextRange();
  }

  get isDone(): boolean {
    return this.current === undefined;
  }

  take(maxAddresses: number, maxRanges: number): Stretch {
    const texts: string[] = [];
    let count = 0;
    while (this.current !== undefined && count < maxAddresses && texts.length < maxRanges) {
      const { taken, size, rest } = cut(this.current, maxAddresses - count);
      texts.push(formatAddressRange(taken));
      count += size;
      this.current = rest ?? this.nextRange();
    }
    return { texts, count };
  }

  private nextRange(): NumberRange | BigRange | undefined {
    const { done, value } = this.ranges.next();
    return done === true ? undefined : value;
  }
}

function* rangesOf({ v4, v6 }: AddressSet): Generator<NumberRange | BigRange> {
  yield* ipv4RangesOf(v4);
  yield* ipv6RangesOf(v6);
}

interface Cut {
  readonly taken: NumberRange | BigRange;
  readonly size: number;
  readonly rest: NumberRange | BigRange | undefined;
}

/** Up to so many addresses from the beginning of the range. */
function cut(range: NumberRange | BigRange, maxAddresses: number): Cut {
  if (typeof range.first === "bigint" && typeof range.last === "bigint") {
    const { first, last } = range;
    const all = Number(last - first + 1n);
    if (all <= maxAddresses) return { taken: range, size: all, rest: undefined };
    const end = first + BigInt(maxAddresses);
    return { taken: { first, last: end - 1n }, size: maxAddresses, rest: { first: end, last } };
  }
  const [first, last] = [Number(range.first), Number(range.last)];
  const all = last - first + 1;
  if (all <= maxAddresses) return { taken: range, size: all, rest: undefined };
  const end = first + maxAddresses;
  return { taken: { first, last: end - 1 }, size: maxAddresses, rest: { first: end, last } };
}

/** The ports, in sets of at most so many; all in one where they fit. */
function* portsFitting(ports: PortSet, max: number): Generator<PortSet> {
  let tcp: NumberRange[] = [];
  let udp: NumberRange[] = [];
  let room = max;
  for (const protocol of ["tcp", "udp"] as const) {
    for (const { first, last } of ports[protocol]) {
      let from = first;
      while (from <= last) {
        const to = Math.min(last, from + room - 1);
        (protocol === "tcp" ? tcp : udp).push({ first: from, last: to });
        room -= to - from + 1;
        from = to + 1;
        if (room > 0) continue;
        yield { tcp, udp };
        [tcp, udp, room] = [[], [], max];
      }
    }
  }
  if (tcp.length > 0 || udp.length > 0) yield { tcp, udp };
}
