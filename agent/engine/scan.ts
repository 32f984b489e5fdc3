/**
 * Runs one scan from the main thread: plans, starts the Workers, hands on what they find, and says how it ended.
 * The main thread never blocks here; all waiting is on timers and messages.
 */

import { availableParallelism } from "node:os";
import { countAddresses } from "#shared/net/address-set.ts";
import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { compilePlan, type Way } from "./compile-plan.ts";
import {
  counter,
  FINISH,
  flag,
  laneCounter,
  OPEN,
  PACKETS_SENT,
  PASS,
  PASSES_DONE,
  POSITION,
  RATE_PPS,
  setFlag,
  STOP,
  STOP_SENDING,
  sumOfLanes,
  CANARIES_OVER,
} from "./control-block.ts";
import { EngineWorker, type WorkerFactory } from "./engine-worker.ts";
import { Findings } from "./findings.ts";
import { createCapture } from "./link/capture.ts";
import { chooseFrameLink, choosePrivilege, senderCount } from "./link/choose.ts";
import { routeTargets } from "./link/route.ts";
import { reserveSourcePorts, type SourcePorts } from "./link/source-ports.ts";
import type { ResumePoint, ScanRequest, WorkerPlan } from "./plan.ts";
import { RateTimer } from "./rate-timer.ts";
import { readRecords } from "./records.ts";
import { resumePointOf } from "./resume.ts";
import { silentQuestions } from "./silent.ts";
import { sourcePortCount } from "./source-port-roles.ts";
import { summarize } from "./summary.ts";
import { shardSize } from "./targets/lane.ts";

export interface ScanObserver {
  /** Called with each batch in turn; the next waits until this one is done, and the engine slows down with it. */
  ports(results: readonly PortResult[]): void | Promise<void>;
  hosts(results: readonly HostResult[]): void | Promise<void>;
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

/** How often answers are fetched: while they come, and while they do not. */
const POLL_MS = 20;
const IDLE_POLL_MS = 50;
const RECORDS_PER_READ = 5_000;
/** Reading and routing so many stretches leaves memory behind that the Workers would come on top of. */
const MANY_STRETCHES = 10_000;
/** How long a scan that was stopped still listens for answers under way. */
const STOPPED_COOLDOWN_MS = 300;

export class Scan {
  private readonly plan: WorkerPlan;
  private readonly request: ScanRequest;
  private readonly sourcePorts: SourcePorts | undefined;
  private readonly findings: Findings;
  private stopReason: StopReason | undefined;

  /**
   * Plans; nothing is sent yet.
   * @throws UsageError NOTHING_TO_SCAN, SCOPE_TOO_LARGE, NO_PRIVILEGE, NO_ETHERNET, RESUME_MISMATCH and others
   * @throws PortolanError NO_ROUTE, NO_SOURCE_PORTS
   */
  constructor(request: ScanRequest, note: (message: string) => void) {
    this.request = request;
    const privilege = choosePrivilege(request);
    const routed = routeTargets(request.addresses, {
      forceKernel: privilege.forceKernel,
      interfaceName: request.interfaceName,
      sourceAddresses: request.sourceAddresses,
    });
    const link = chooseFrameLink(request.link, privilege, routed.routes);
    for (const text of [...privilege.notes, ...link.notes]) note(text);
    if (routed.broadcast.length > 0) {
      note(`not probed, because it is a broadcast address: ${routed.broadcast.join(", ")}`);
    }
    const isPackets = privilege.probing === "packets";
    const families = [...new Set(routed.routes.map(({ family }) => family))];
    this.sourcePorts = isPackets
      ? reserveSourcePorts(sourcePortCount(request.retries + 1), families, request.sourcePort, Math.random)
      : undefined;
    try {
      const [k0 = 0, k1 = 0] = crypto.getRandomValues(new Int32Array(2));
      const way: Way = {
        probing: privilege.probing,
        frameLink: link.frameLink,
        lanes: isPackets ? lanesOf(request, senderCount(routed.routes, availableParallelism())) : 1,
        firstSourcePort: this.sourcePorts?.first ?? 0,
      };
      this.plan = compilePlan(request, routed, way, { k0, k1 });
      if (request.capturePath !== undefined) createCapture(request.capturePath);
    } catch (error) {
      this.sourcePorts?.release();
      throw error;
    }
    this.findings = new Findings(this.plan);
  }

  /** Takes effect within a few milliseconds. 0 is unlimited. Ends a search for the best rate. */
  setRate(ratePps: number): void {
    this.plan.control.counters[RATE_PPS] = ratePps;
  }

  /** Ends the scan early; what was found is kept and the summary says partial. The first reason stands. */
  stop(reason: StopReason): void {
    this.stopReason ??= reason;
    if (flag(this.plan.control, STOP) !== FINISH) setFlag(this.plan.control, STOP, STOP_SENDING);
  }

  progress(): ScanProgress {
    const { control, permutation, shard, passes, lanes } = this.plan;
    const passOfLane = Array.from({ length: lanes }, (_, lane) => laneCounter(control, lane, PASS));
    return {
      pass: Math.min(...passOfLane),
      passes,
      probesPlanned: shardSize(permutation.size, shard),
      probesCovered: sumOfLanes(control, POSITION),
      packetsSent: sumOfLanes(control, PACKETS_SENT),
      open: counter(control, OPEN) - this.withheld(),
    };
  }

  /** Where the scan can be taken up again. To be asked after `run` has ended. */
  resumePoint(): ResumePoint {
    return resumePointOf(this.plan, this.withheld());
  }

  /**
   * Scans. Resolves when everything was handed to the observer.
   * @throws PortolanError when the engine itself fails; what was found until then has been handed on
   */
  async run(workers: WorkerFactory, observer: ScanObserver): Promise<ScanSummary> {
    const { plan, request } = this;
    const { control } = plan;
    const startedMs = performance.now();
    const { maxRuntimeMs } = request;
    const timer =
      maxRuntimeMs === undefined ? undefined : setTimeout(() => this.stop("timed-out"), maxRuntimeMs);
    const rateTimer = new RateTimer(plan, observer.note);
    if (plan.space.offsets.length > MANY_STRETCHES) Bun.gc(true);
    const receiver = plan.probing === "packets" ? new EngineWorker(workers.receiver()) : undefined;
    const senders = Array.from({ length: plan.lanes }, () => new EngineWorker(workers.sender()));
    const threads = receiver === undefined ? senders : [...senders, receiver];
    try {
      receiver?.start(plan);
      await receiver?.ready;
      senders.forEach((sender, lane) => sender.start({ ...plan, lane }));
      if (request.ratePps === "auto") rateTimer.start();
      const failure = firstFailure(threads);
      await this.drainUntil(
        Promise.race([Promise.all(senders.map(({ ended }) => ended)), failure]),
        observer,
      );
      await this.drainUntil(Promise.race([this.cooldown(), failure]), observer);
      setFlag(control, STOP, FINISH);
      if (receiver !== undefined) await this.drainUntil(receiver.ended, observer);
      await this.drain(observer, true);

      const ends = await Promise.all(threads.map(({ ended }) => ended));
      const failures = ends.flatMap(({ failure }) => failure ?? []);
      for (const note of [...ends.flatMap(({ notes }) => notes), ...failures]) observer.note(note);
      const unwatched = this.findings.unwatched();
      if (unwatched > 0) {
        observer.note(
          `${unwatched} open ports were found on hosts that were too many to check with canaries`,
        );
      }
      const summary = summarize(plan, {
        ended: this.stopReason ?? (failures.length > 0 ? "failed" : "done"),
        links: ends.flatMap(({ links }) => links),
        durationMs: performance.now() - startedMs,
        hostsSuspicious: this.findings.suspiciousHosts(),
        openWithheld: this.withheld(),
      });
      await this.tellSilent(summary, observer);
      return summary;
    } finally {
      clearTimeout(timer);
      rateTimer.stop();
      setFlag(control, STOP, FINISH);
      // Native calls return within 100 ms of FINISH; ending a thread inside one would not be safe.
      await Promise.all(threads.map((thread) => thread.stop()));
      this.sourcePorts?.release();
    }
  }

  /** Open ports that were counted and not listed, in this run and before. */
  private withheld(): number {
    return this.findings.withheld() + (this.request.resume?.withheld ?? 0);
  }

  /** What never answered, where it was asked for and where silence really is the target's. */
  private async tellSilent(summary: ScanSummary, observer: ScanObserver): Promise<void> {
    if (summary.ended !== "done" || !this.request.report.includes("filtered")) return;
    const doubt = this.doubtOfSilence(summary);
    if (doubt !== undefined) {
      observer.note(`what did not answer is not listed, because ${doubt}`);
      return;
    }
    for (const records of silentQuestions(this.plan)) {
      if (this.stopReason !== undefined) return;
      await this.findings.tellSilent(records, observer);
      // Heartbeats and signals come first.
      await Bun.sleep(0);
    }
  }

  /** Why silence may not be the target's; undefined where it is. */
  private doubtOfSilence({ sendErrors, kernelDrops }: ScanSummary): string | undefined {
    if (sendErrors > 0) return `${sendErrors} packets could not be sent`;
    if (kernelDrops > 0) return `this host dropped ${kernelDrops} answers`;
    const { windows } = this.plan.answered;
    return windows > 1 ? "the scan is too large to remember each" : undefined;
  }

  /** Waits for the last answers of a scan that was stopped; otherwise the senders have waited. */
  private async cooldown(): Promise<void> {
    if (this.plan.probing === "connect" || this.stopReason === undefined) return;
    await Bun.sleep(Math.min(this.plan.portTimeoutMs, STOPPED_COOLDOWN_MS));
  }

  private async drainUntil(end: Promise<unknown>, observer: ScanObserver): Promise<void> {
    const state = { pending: true };
    const settle = (): void => {
      state.pending = false;
    };
    const settled = end.then(settle, settle);
    while (state.pending) {
      const hasAnswers = await this.drain(observer, false);
      await Promise.race([settled, Bun.sleep(hasAnswers ? POLL_MS : IDLE_POLL_MS)]);
    }
    try {
      await end;
    } catch (error) {
      // A thread failed: what the others have found is handed on all the same, and nothing is held back any more.
      await this.drain(observer, true);
      throw error;
    }
  }

  /**
   * Hands on what has come. True where something had.
   * @param isLast nothing more will come: everything that is held back is decided
   */
  private async drain(observer: ScanObserver, isLast: boolean): Promise<boolean> {
    const { plan, findings } = this;
    // Asked first: what was answered before the passes were done is in the ring by then.
    const arePassesDone = this.arePassesDone();
    let hasAnswers = false;
    for (;;) {
      const records = readRecords(plan.records, RECORDS_PER_READ);
      hasAnswers ||= records.length > 0;
      await findings.tell(records, observer);
      if (records.length < RECORDS_PER_READ) break;
    }
    await findings.decide(observer, isLast);
    if (arePassesDone && !findings.isWaiting()) setFlag(plan.control, CANARIES_OVER, 1);
    return hasAnswers;
  }

  private arePassesDone(): boolean {
    const { control, lanes } = this.plan;
    return sumOfLanes(control, PASSES_DONE) === lanes;
  }
}

/** Never resolves; rejects as soon as one of them fails: nobody should send while nobody listens. */
function firstFailure(threads: readonly EngineWorker[]): Promise<never> {
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined);
  for (const { ended } of threads) ended.catch(failure.reject);
  return failure.promise;
}

/** A paced scan needs no more than one sender, and a cap for each host is kept by one alone. */
function lanesOf(request: ScanRequest, most: number): number {
  if (request.resume !== undefined) return request.resume.lanePositions.length;
  if (request.maxRatePerHostPps > 0 || request.maxRatePerNetworkPps > 0) return 1;
  if (request.senders !== undefined) return request.senders;
  if (request.ratePps !== 0) return 1;
  // A small scan is over before a second thread has started.
  return countAddresses(request.addresses) < 1_000 ? 1 : most;
}
