/** Our ports for canaries and soundings take answers to SYNs only: what is sent there otherwise may be forged by anybody. */

import { expect, test } from "bun:test";
import { AnswerSink } from "./answers.ts";
import { counter, FINISH, PACKETS_REJECTED, setFlag, SOUNDINGS_ANSWERED, STOP } from "./control-block.ts";
import { TCP_SYN, UDP } from "./packet/probe-kind.ts";
import { ACK, cookieOf, type Probe, SYN, tcpAnswer, udpAnswer, viewOf } from "./packet/testing/packets.ts";
import { receiveReplies } from "./receiver.ts";
import { readRecords } from "./records.ts";
import { canaryPort, soundingPort } from "./source-port-roles.ts";
import { aPlan, FIRST_IPV4, FIRST_SOURCE_PORT } from "./testing/plan.ts";

const PASSES = 1;
const CANARY = canaryPort(FIRST_SOURCE_PORT, PASSES);
const SOUNDING = soundingPort(FIRST_SOURCE_PORT, PASSES, 0);

function probeTo(kind: number, sourcePort: number, targetPort: number): Probe {
  return {
    family: 4,
    kind,
    source: [0, 0, 0, FIRST_IPV4 + 253],
    target: [0, 0, 0, FIRST_IPV4],
    sourcePort,
    targetPort,
  };
}

test("datagrams to them are rejected, SYN-ACKs are not", () => {
  const plan = aPlan();
  const { k0, k1 } = plan.cookie;
  const synAck = (probe: Probe): Uint8Array => tcpAnswer(probe, SYN | ACK, 7, cookieOf(probe, k0, k1) + 1);
  const packets = [CANARY, SOUNDING].flatMap((sourcePort) => [
    // Nothing that is sent to port 80 has a place for a cookie.
    udpAnswer(probeTo(UDP, sourcePort, 80), Uint8Array.of(1)),
    synAck(probeTo(TCP_SYN, sourcePort, 30_000)),
  ]);
  const receive = (
    _ms: number,
    onPacket: (...packet: [DataView, number, number, number, number]) => void,
  ) => {
    for (const bytes of packets.splice(0)) onPacket(viewOf(bytes), 0, bytes.length, 0, 0);
    setFlag(plan.control, STOP, FINISH);
  };
  receiveReplies(plan, { receive, kernelDrops: () => 0 }, new AnswerSink(plan), undefined);
  expect(readRecords(plan.records, 10)).toEqual([
    expect.objectContaining({ question: -30_001, ourPort: CANARY }),
  ]);
  expect(counter(plan.control, SOUNDINGS_ANSWERED)).toBe(1);
  expect(counter(plan.control, PACKETS_REJECTED)).toBe(2);
});
