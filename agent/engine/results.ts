/** Answers as people and the wire see them: numbers become addresses, ports and names again. */

import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import { macOfHop, ownHop } from "./link/neighbour-table.ts";
import { UDP } from "./packet/probe-kind.ts";
import { REASON_NAMES, type ReasonName, stateOfReason } from "./packet/reason.ts";
import type { WorkerPlan } from "./plan.ts";
import type { AnswerRecord } from "./records.ts";
import { formatWords } from "./targets/address-words.ts";
import { kindOfQuestion, portOfQuestion } from "./targets/questions.ts";
import { familyOfNumber, wordsOfNumber } from "./targets/space.ts";

/** What is known of the host of a result, whatever the port. */
interface HostPart {
  readonly address: string;
  readonly reason: ReasonName;
  readonly ttl?: number;
  readonly macAddress?: string;
  readonly observedAt: string;
}

export function toPortResult(plan: WorkerPlan, record: AnswerRecord): PortResult {
  const { questions } = plan.space;
  const kind = kindOfQuestion(questions, record.question);
  const { address, ...host } = hostPart(plan, record);
  return {
    address,
    port: portOfQuestion(questions, record.question),
    protocol: kind === UDP ? "udp" : "tcp",
    state: stateOfReason(kind, host.reason),
    ...host,
  };
}

export function toHostResult(plan: WorkerPlan, record: AnswerRecord, isUp: boolean): HostResult {
  const { address, ...host } = hostPart(plan, record);
  return { address, state: isUp ? "up" : "down", ...host };
}

function hostPart(plan: WorkerPlan, { addressNumber, reason, ttl, timeMs }: AnswerRecord): HostPart {
  const { space } = plan;
  const macAddress = macOfNumber(plan, addressNumber);
  return {
    address: formatWords(familyOfNumber(space, addressNumber), wordsOfNumber(space, addressNumber)),
    reason: REASON_NAMES[reason] ?? "no-response",
    // Connections, silence and neighbours have no packet to read it from.
    ...(ttl > 0 ? { ttl } : {}),
    ...(macAddress === undefined ? {} : { macAddress }),
    observedAt: new Date(timeMs).toISOString(),
  };
}

/** Hardware address of a host on the local link; of others only the gateway's is known, which says nothing of them. */
function macOfNumber({ ways, neighbours }: WorkerPlan, addressNumber: number): string | undefined {
  const hop = ownHop(ways, addressNumber);
  const mac = hop < 0 ? undefined : macOfHop(neighbours, hop);
  if (mac === undefined) return undefined;
  const digits = mac.macHigh.toString(16).padStart(4, "0") + (mac.macLow >>> 0).toString(16).padStart(8, "0");
  return digits.replaceAll(/(..)(?=.)/g, "$1:");
}
