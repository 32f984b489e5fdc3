/**
 * What is asked of each address: the questions, numbered from 0. "Is this TCP port open?" takes one probe. A UDP port has
 * a probe for each payload that may make it speak, and a host that is looked for has several pings; whatever is answered
 * first settles the question.
 */

import type { NumberRange } from "#shared/net/ranges.ts";
import { ICMP_ECHO, PROBE_KINDS, type ProbeKind, TCP_ACK, TCP_SYN, UDP } from "../packet/probe-kind.ts";

export interface Questions {
  readonly count: number;
  /** The probes of question q are those at places firsts[q] to firsts[q + 1] - 1 of the arrays that follow. */
  readonly firsts: Uint32Array;
  readonly kinds: Uint8Array;
  readonly ports: Uint16Array;
  /** Number in the payload catalogue; 0 where none is sent. */
  readonly payloads: Uint16Array;
  /** The most probes that one question takes. */
  readonly mostProbes: number;
  /** By kind: port → question, -1 where it is not asked. Empty for a kind that is not used. */
  readonly byPort: readonly Int32Array[];
}

interface Probe {
  readonly kind: ProbeKind;
  readonly port: number;
  readonly payload: number;
}

function newQuestions(questions: readonly (readonly Probe[])[]): Questions {
  const probes = questions.flat();
  const firsts = new Uint32Array(questions.length + 1);
  const byPort = Array.from({ length: PROBE_KINDS }, (_, kind) =>
    probes.some((probe) => probe.kind === kind) ? new Int32Array(65_536).fill(-1) : new Int32Array(0),
  );
  questions.forEach((question, number) => {
    firsts[number + 1] = (firsts[number] ?? 0) + question.length;
    for (const { kind, port } of question) {
      const numbers = byPort[kind];
      if (numbers !== undefined) numbers[port] = number;
    }
  });
  return {
    count: questions.length,
    firsts,
    kinds: Uint8Array.from(probes, ({ kind }) => kind),
    ports: Uint16Array.from(probes, ({ port }) => port),
    payloads: Uint16Array.from(probes, ({ payload }) => payload),
    mostProbes: questions.reduce((most, { length }) => Math.max(most, length), 0),
    byPort,
  };
}

/**
 * The questions of a port scan.
 * @param payloadsOf numbers of the payloads to send to a UDP port, at least one
 */
export function portQuestions(
  tcp: readonly NumberRange[],
  udp: readonly NumberRange[],
  payloadsOf: (port: number) => readonly number[],
): Questions {
  return newQuestions([
    ...portsOf(tcp).map((port): Probe[] => [{ kind: TCP_SYN, port, payload: 0 }]),
    ...portsOf(udp).map((port) => payloadsOf(port).map((payload): Probe => ({ kind: UDP, port, payload }))),
  ]);
}

/** The one question of host discovery. The ports are those that firewalls most often let pass. */
export function hostQuestion(): Questions {
  return newQuestions([
    [
      { kind: ICMP_ECHO, port: 0, payload: 0 },
      { kind: TCP_SYN, port: 443, payload: 0 },
      { kind: TCP_ACK, port: 80, payload: 0 },
    ],
  ]);
}

/** The question that an answer of this kind from this port belongs to, or -1. */
export function questionOfPort(questions: Questions, kind: number, port: number): number {
  return questions.byPort[kind]?.[port] ?? -1;
}

/** Port of a question about a port. */
export function portOfQuestion(questions: Questions, question: number): number {
  return questions.ports[questions.firsts[question] ?? 0] ?? 0;
}

/** Kind of the first probe of a question, which tells the protocol of its port. */
export function kindOfQuestion(questions: Questions, question: number): number {
  return questions.kinds[questions.firsts[question] ?? 0] ?? TCP_SYN;
}

function portsOf(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}
