/**
 * Runs one scan from the main thread: plans, starts the Workers, hands on what they find, and says how it ended.
 * The main thread never blocks here; all waiting is on timers and messages.
 */

import { UsageError } from "#shared/errors.ts";
import { formatAddressRange } from "#shared/net/target-spec.ts";
import { formatIpv4 } from "#shared/net/ipv4.ts";
import type { ScanSummary } from "#shared/protocol/job.ts";
import {
  counter,
  FINISH,
  flag,
  PACKETS_SENT,
  PASS,
  POSITION,
  OPEN,
  RATE_PPS,
  setFlag,
  STOP,
  STOP_SENDING,
} from "./control-block.ts";
import { chooseLink } from "./link/choose.ts";
import { type RouteSegment, routeTargets } from "./link/route.ts";
import { reserveSourcePorts } from "./link/source-ports.ts";
import { EngineWorker, firstFailure, type WorkerFactory } from "./engine-worker.ts";
import { compilePlan, type ScanRequest, type WorkerPlan } from "./plan.ts";
import { type PortRecord, readRecords } from "./records.ts";
import { summarize } from "./summary.ts";
import { silentProbes } from "./silent.ts";

export interface ScanObserver {
  /** Called with each batch in turn; the next waits until this one is done, and the engine slows down with it. */
  records(records: readonly PortRecord[]): void | Promise<void>;
  /** Something people should know, e.g. which link was taken and why. */
  note(message: string): void;
}

export interface ScanProgress {
  readonly pass: number;
  readonly passes: number;
  readonly probesPlanned: number;
  /** Positions of the first pass done, growing to `probesPlanned`. */
  readonly probesCovered: number;
  readonly packetsSent: number;
  readonly open: number;
}

export type StopReason = "interrupted" | "cancelled" | "timed-out";

const POLL_MS = 20;
const RECORDS_PER_READ = 5_000;
/** How long a scan that was stopped still listens for answers under way. */
const STOPPED_COOLDOWN_MS = 300;

export class Scan {
  private readonly plan: WorkerPlan;
  private readonly request: ScanRequest;
  private readonly releasePorts: () => void;
  private stopReason: StopReason | undefined;

  /**
   * Plans; nothing is sent yet.
   * @throws UsageError NOTHING_TO_SCAN, SCOPE_TOO_LARGE, NO_PRIVILEGE
   * @throws PortolanError NO_ROUTE, NO_SOURCE_PORTS
   */
  constructor(request: ScanRequest, note: (message: string) => void) {
    const choice = chooseLink(request.link);
    if (choice.note !== undefined) note(choice.note);
    const syn = choice.kind === "syn";
    this.request = request;
    const { segments, broadcast } = routeTargets(request.addresses, choice.forceRaw);
    if (request.link === "packet") requireEthernet(segments);
    if (broadcast.length > 0) {
      note(`not probed, because it is a broadcast address: ${broadcast.map(formatIpv4).join(", ")}`);
    }
    const [k0 = 0, k1 = 0] = crypto.getRandomValues(new Int32Array(2));
    const ports = syn ? reserveSourcePorts(request.retries + 1, Math.random) : undefined;
    this.releasePorts = () => ports?.release();
    this.plan = compilePlan(request, choice.kind, segments, ports?.first ?? 0, { k0, k1 });
  }

  /** Takes effect within a few milliseconds. 0 is unlimited. */
  setRate(ratePps: number): void {
    this.plan.control.counters[RATE_PPS] = ratePps;
  }

  /** Ends the scan early; what was found is kept and the summary says partial. The first reason stands. */
  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    if (flag(this.plan.control, STOP) !== FINISH) setFlag(this.plan.control, STOP, STOP_SENDING);
  }

  progress(): ScanProgress {
    const { control } = this.plan;
    return {
      pass: flag(control, PASS),
      passes: this.plan.passes,
      probesPlanned: this.plan.space.size,
      probesCovered: counter(control, POSITION),
      packetsSent: counter(control, PACKETS_SENT),
      open: counter(control, OPEN),
    };
  }

  /**
   * Scans. Resolves when everything was handed to the observer.
   * @throws PortolanError when the engine itself fails; what was found until then has been handed on
   */
  async run(workers: WorkerFactory, observer: ScanObserver): Promise<ScanSummary> {
    const { plan } = this;
    const startedMs = performance.now();
    const { maxRuntimeMs } = this.request;
    const timer =
      maxRuntimeMs === undefined ? undefined : setTimeout(() => this.stop("timed-out"), maxRuntimeMs);
    const receiver = plan.probing === "syn" ? new EngineWorker(workers.receiver()) : undefined;
    const sender = new EngineWorker(workers.sender());
    try {
      if (receiver !== undefined) {
        receiver.start(plan);
        await receiver.ready;
      }
      sender.start(plan);
      await this.drainUntil(firstFailure(sender.ended, receiver?.ended), observer);
      await this.drainUntil(this.cooldown(), observer);
      setFlag(plan.control, STOP, FINISH);
      if (receiver !== undefined) await this.drainUntil(receiver.ended, observer);
      await this.drain(observer);

      const { unreachable, lastRefusal } = await sender.ended;
      if (lastRefusal !== "") observer.note(`some probes could not be sent: ${lastRefusal}`);
      const summary = summarize(plan, {
        ended: this.stopReason ?? "done",
        durationMs: performance.now() - startedMs,
      });
      if (this.request.report.includes("filtered")) {
        for (const records of silentProbes(plan, summary, unreachable)) {
          if (this.stopReason !== undefined) break;
          if (records.length > 0) await observer.records(records);
          // Heartbeats and signals come first.
          await Bun.sleep(0);
        }
      }
      return summary;
    } finally {
      clearTimeout(timer);
      setFlag(plan.control, STOP, FINISH);
      // Native calls return within 100 ms of FINISH; ending a thread inside one would not be safe.
      await Promise.all([sender.stop(), receiver?.stop()]);
      this.releasePorts();
    }
  }

  /** Waits for the last answers: as long as one may take, less where the scan was stopped. */
  private async cooldown(): Promise<void> {
    if (this.plan.probing === "connect") return;
    const ms = this.stopReason === undefined ? 0 : Math.min(this.plan.portTimeoutMs, STOPPED_COOLDOWN_MS);
    await Bun.sleep(ms);
  }

  private async drainUntil(end: Promise<unknown>, observer: ScanObserver): Promise<void> {
    const state = { pending: true };
    const settle = (): void => {
      state.pending = false;
    };
    end.then(settle, settle);
    while (state.pending) {
      await this.drain(observer);
      await Bun.sleep(POLL_MS);
    }
    await end;
  }

  private async drain(observer: ScanObserver): Promise<void> {
    for (;;) {
      const records = readRecords(this.plan.records, RECORDS_PER_READ);
      if (records.length === 0) return;
      await observer.records(records);
    }
  }
}

/** @throws UsageError NO_ETHERNET naming the first interface that the packet link cannot use */
function requireEthernet(segments: readonly RouteSegment[]): void {
  const other = segments.find(({ via }) => via === "raw");
  if (other === undefined) return;
  throw new UsageError(
    "NO_ETHERNET",
    `the packet link needs Ethernet, and ${formatAddressRange(other)} is reached over ${other.interfaceName}; use --link raw`,
  );
}
