/** Turns a request into what the Workers need, once link, routes and source ports are known. */

import { UsageError } from "#shared/errors.ts";
import { newCanaryQueue } from "./accuracy/canary-queue.ts";
import { START_RATE_PPS } from "./accuracy/rate-search.ts";
import { newSoundingTargets } from "./accuracy/soundings.ts";
import {
  KERNEL_DROPS,
  newControlBlock,
  REFUSED_FIRST_PASS,
  setFlag,
  setLane,
  WINDOW,
} from "./control-block.ts";
import { newAnsweredSet } from "./dedup.ts";
import { newNeighbourTable } from "./link/neighbours.ts";
import type { RoutedTargets } from "./link/route-types.ts";
import type { CookieKey } from "./packet/cookie.ts";
import { payloadsOfPort } from "./packet/payloads.ts";
import type { Probing, ResumePoint, ResumePosition, ScanRequest, WorkerPlan } from "./plan.ts";
import { newRecordRing } from "./records.ts";
import { restoreAnswered } from "./resume.ts";
import { sourcePortCount } from "./source-port-roles.ts";
import { newPermutation } from "./targets/permutation.ts";
import { hostQuestion, portQuestions, type Questions } from "./targets/questions.ts";
import { shardSize } from "./targets/lane.ts";
import { buildSpace } from "./targets/space.ts";

export interface Way {
  readonly probing: Probing;
  readonly frameLink: "xdp" | "packet";
  readonly lanes: number;
  /** First of the reserved ports; 0 for connections. */
  readonly firstSourcePort: number;
}

/** What is asked of each address. */
export function questionsOf(request: ScanRequest): Questions {
  return request.find === "hosts"
    ? hostQuestion()
    : portQuestions(request.tcpPorts, request.udpPorts, payloadsOfPort);
}

/**
 * The plan of the first lane; the others differ in `lane` only.
 * @param maxBits of the answered set; smaller than its own in tests
 * @throws UsageError NOTHING_TO_SCAN, SCOPE_TOO_LARGE, RESUME_MISMATCH
 */
export function compilePlan(
  request: ScanRequest,
  routed: RoutedTargets,
  way: Way,
  cookie: CookieKey,
  maxBits?: number,
): WorkerPlan {
  const space = buildSpace(routed.stretches, questionsOf(request));
  if (shardSize(space.size, request.shard) === 0) {
    throw new UsageError(
      "NOTHING_TO_SCAN",
      `shard ${request.shard.index + 1} of ${request.shard.count} is empty: there are only ${space.size} probes`,
    );
  }
  const passes = request.retries + 1;
  const empty = newAnsweredSet(shardSize(space.size, request.shard), maxBits);
  if (request.resume !== undefined) checkResume(request.resume, passes, way.lanes, empty.windows);
  const control = newControlBlock(request.ratePps === "auto" ? START_RATE_PPS : request.ratePps, way.lanes);
  request.resume?.kept.forEach((value, i) => {
    control.counters[KERNEL_DROPS + i] = value;
  });
  setFlag(control, WINDOW, request.resume?.window ?? 0);
  setLane(control, 0, REFUSED_FIRST_PASS, request.resume?.refused ?? 0);
  return {
    find: request.find,
    probing: way.probing,
    frameLink: way.frameLink,
    routes: routed.routes,
    ways: routed.ways,
    neighbours: newNeighbourTable(routed, request.gatewayMac),
    space,
    permutation: newPermutation(space.size, request.seed),
    shard: request.shard,
    cookie,
    firstSourcePort: way.firstSourcePort,
    sourcePortCount: sourcePortCount(passes),
    passes,
    cooldownMs: request.cooldownMs ?? request.portTimeoutMs,
    quietMs: quietMsOf(request, routed),
    lane: 0,
    lanes: way.lanes,
    portTimeoutMs: request.portTimeoutMs,
    maxRatePerHostPps: request.maxRatePerHostPps,
    maxRatePerNetworkPps: request.maxRatePerNetworkPps,
    resume: positionOf(request.resume),
    report: request.report,
    capturePath: request.capturePath,
    control,
    answered: restoreAnswered(empty, request.resume?.answered),
    records: newRecordRing(),
    canaries: newCanaryQueue(),
    soundings: newSoundingTargets(),
  };
}

/** Positions are those of a lane among so many: other lanes would skip some probes and repeat others. */
function checkResume(
  { window, pass, lanePositions }: ResumePoint,
  passes: number,
  lanes: number,
  windows: number,
): void {
  if (window >= windows) {
    throw new UsageError("RESUME_MISMATCH", "the resume file belongs to a scan of more targets or ports");
  }
  if (lanePositions.length === lanes && pass <= passes) return;
  throw new UsageError(
    "RESUME_MISMATCH",
    `the scan was stopped in pass ${pass} of ${lanePositions.length} senders; it cannot go on with ${passes} passes of ${lanes}`,
  );
}

/** What the senders need: the answered set is in shared memory by now, and not to be copied to each. */
function positionOf(resume: ResumePoint | undefined): ResumePosition | undefined {
  if (resume === undefined) return undefined;
  const { window, pass, lanePositions } = resume;
  return { window, pass, lanePositions };
}

/** Hosts on the link have just answered for their hardware address; a service may think about a datagram for longer. */
function quietMsOf(
  { quietMs = Number.POSITIVE_INFINITY, udpPorts }: ScanRequest,
  { ways, routes }: RoutedTargets,
): number {
  const isNear = ways.hopSteps.every(
    (step, run) => step === 1 || routes[ways.routes[run] ?? 0]?.interfaceName === "lo",
  );
  return isNear && udpPorts.length === 0 ? quietMs : Number.POSITIVE_INFINITY;
}
