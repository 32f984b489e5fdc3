/** What is asked of each address: every question with its probes, and which question an answer belongs to. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { normalizeRanges, type NumberRange } from "#shared/net/ranges.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../packet/probe-kind.ts";
import {
  hostQuestion,
  kindOfQuestion,
  portOfQuestion,
  portQuestions,
  type Questions,
  questionOfPort,
} from "./questions.ts";

const range = fc
  .tuple(fc.constantFrom(0, 20, 65_500), fc.nat(25), fc.nat(5))
  .map(([base, offset, length]): NumberRange => ({ first: base + offset, last: base + offset + length }));
const ranges = fc.array(range, { maxLength: 5 }).map(normalizeRanges);

function list(ranges: readonly NumberRange[]): number[] {
  return ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** A UDP port has one, two or three payloads. */
const payloadsOf = (port: number): number[] =>
  Array.from({ length: (port % 3) + 1 }, (_, i) => (port % 100) * 3 + i);

/** The probes of each question, as a sender reads them. */
function probesOf({ count, firsts, kinds, ports, payloads }: Questions) {
  return Array.from({ length: count }, (_, question) => {
    const [from = 0, to = 0] = firsts.subarray(question, question + 2);
    return Array.from({ length: to - from }, (_, i) => ({
      kind: kinds[from + i],
      port: ports[from + i],
      payload: payloads[from + i],
    }));
  });
}

describe("portQuestions", () => {
  test("asks each TCP port with one probe, and each UDP port with all its payloads", () => {
    fc.assert(
      fc.property(ranges, ranges, (tcp, udp) => {
        const questions = portQuestions(tcp, udp, payloadsOf);
        const expected = [
          ...list(tcp).map((port) => [{ kind: TCP_SYN, port, payload: 0 }]),
          ...list(udp).map((port) => payloadsOf(port).map((payload) => ({ kind: UDP, port, payload }))),
        ];
        expect(probesOf(questions)).toEqual(expected);
        expect(questions.mostProbes).toBe(Math.max(0, ...expected.map(({ length }) => length)));
      }),
    );
  });

  test("an answer from a port leads to its question, and the question back to port and kind", () => {
    fc.assert(
      fc.property(ranges, ranges, (tcp, udp) => {
        const questions = portQuestions(tcp, udp, payloadsOf);
        const asked = [
          ...list(tcp).map((port) => [TCP_SYN, port] as const),
          ...list(udp).map((port) => [UDP, port] as const),
        ];
        asked.forEach(([kind, port], question) => {
          expect(questionOfPort(questions, kind, port)).toBe(question);
          expect([kindOfQuestion(questions, question), portOfQuestion(questions, question)]).toEqual([
            kind,
            port,
          ]);
        });
      }),
    );
  });

  test("what was not asked has no question", () => {
    const questions = portQuestions([{ first: 80, last: 81 }], [{ first: 53, last: 53 }], payloadsOf);
    const others: [number, number][] = [
      [TCP_SYN, 79],
      [TCP_SYN, 53],
      [UDP, 80],
      [TCP_ACK, 80],
      [ICMP_ECHO, 0],
      [99, 80],
      [TCP_SYN, 70_000],
      [TCP_SYN, -1],
    ];
    expect(others.map(([kind, port]) => questionOfPort(questions, kind, port))).toEqual(others.map(() => -1));
  });

  test("all ports of both protocols have questions of their own, the last included", () => {
    const all = [{ first: 0, last: 65_535 }];
    const questions = portQuestions(all, all, () => [0]);
    expect(questions.count).toBe(131_072);
    expect([questionOfPort(questions, TCP_SYN, 65_535), questionOfPort(questions, UDP, 65_535)]).toEqual([
      65_535, 131_071,
    ]);
  });
});

test("a host is one question, whichever ping is answered", () => {
  const questions = hostQuestion();
  expect([questions.count, questions.mostProbes]).toEqual([1, 3]);
  expect(questionOfPort(questions, ICMP_ECHO, 0)).toBe(0);
  expect(questionOfPort(questions, TCP_SYN, 443)).toBe(0);
  expect(questionOfPort(questions, TCP_ACK, 80)).toBe(0);
  expect(questionOfPort(questions, TCP_ACK, 443)).toBe(-1);
});
