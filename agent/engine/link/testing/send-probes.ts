/**
 * Run inside a namespace: sends probes of every kind and both families to one neighbour, and prints what became of them.
 * The order comes as JSON on standard input, the answer goes as JSON to standard output.
 */

import { readFileSync } from "node:fs";
import { addressSetOf } from "#shared/net/address-set.ts";
import { newControlBlock } from "../../control-block.ts";
import { ICMP_ECHO, TCP_ACK, TCP_SYN, UDP } from "../../packet/probe-kind.ts";
import { portQuestions } from "../../targets/questions.ts";
import { buildSpace } from "../../targets/space.ts";
import { stretchesOf } from "../../targets/stretches.ts";
import { wordsOfIpv4, wordsOfIpv6 } from "../../targets/address-words.ts";
import { newWayTable } from "../way-table.ts";
import { openTransmitter } from "../open-transmitter.ts";
import { PacketProber } from "../packet-prober.ts";
import type { Route } from "../route-types.ts";

/** Closed on the other side, so that its kernel answers every probe. */
const PORT = 9;
const SOURCE_PORT = 61_000;
const KINDS = [TCP_SYN, TCP_ACK, UDP, ICMP_ECHO];

export interface SendOrder {
  readonly link: "xdp" | "packet" | "raw";
  readonly interfaceIndex: number;
  /** As twelve hexadecimal digits. */
  readonly ourMac: string;
  readonly theirMac: string;
  /** Transmit queues of the interface, and which sender this is. */
  readonly txQueues: number;
  readonly lane: number;
  /** Probes of each kind and family. */
  readonly count: number;
}

export interface SendReport {
  readonly transmitters: readonly string[];
  readonly sent: number;
  readonly refused: number;
  readonly reason: string;
}

function bytesOf(mac: string): Uint8Array {
  return Uint8Array.from(Buffer.from(mac, "hex"));
}

function sendProbes({
  link,
  interfaceIndex,
  ourMac,
  theirMac,
  txQueues,
  lane,
  count,
}: SendOrder): SendReport {
  const [target4, target6] = [0x0a01_0002, 0xfd00_0001_0000_0000_0000_0000_0000_0002n];
  const targets = addressSetOf([{ first: target4, last: target4 }], [{ first: target6, last: target6 }]);
  const isFrame = link !== "raw";
  const routes = ([4, 6] as const).map((family): Route => ({
    family,
    interfaceName: "lan",
    interfaceIndex,
    via: isFrame ? "frame" : "kernel",
    source: family === 4 ? wordsOfIpv4(0x0a01_0001) : wordsOfIpv6(0xfd00_0001_0000_0000_0000_0000_0000_0001n),
    isForced: false,
    mac: bytesOf(ourMac),
    gateway: undefined,
    txQueues,
  }));
  const mac = new DataView(bytesOf(theirMac).buffer);
  const opened: string[] = [];
  const prober = new PacketProber(
    {
      frameLink: link === "xdp" ? "xdp" : "packet",
      routes,
      ways: newWayTable(
        routes.map((_, i) => ({ count: 1, route: i, firstHop: isFrame ? i : -1, hopStep: isFrame ? 1 : 0 })),
      ),
      neighbours: {
        ready: new Int32Array(new SharedArrayBuffer(4)).fill(1),
        macHigh: new Uint16Array(2).fill(mac.getUint16(0)),
        macLow: new Int32Array(2).fill(mac.getInt32(2)),
      },
      space: buildSpace(
        stretchesOf(targets),
        portQuestions([{ first: PORT, last: PORT }], [], () => []),
      ),
      cookie: { k0: 1, k1: 2 },
      // The first sender would ask for the hardware addresses that are given here.
      lane: 1,
      control: newControlBlock(0, 2),
      capturePath: undefined,
    },
    (route, frameLink, _lane, wait, tell) => {
      const transmitter = openTransmitter(route, frameLink, lane, wait, tell);
      opened.push(transmitter.constructor.name);
      return transmitter;
    },
  );
  let sent = 0;
  try {
    prober.prepare();
    for (let i = 0; i < count; i++) {
      for (const kind of KINDS) {
        const port = kind === ICMP_ECHO ? 0 : PORT;
        for (const address of [0, 1]) prober.add(address, kind, port, 0, SOURCE_PORT);
      }
      // No multiple of the batch, so that every part of the rings is used.
      if (i % 7 === 6) {
        sent += prober.flush();
        while (prober.room() === 0) prober.idle(1);
      }
    }
    sent += prober.flush();
    const { count: refused, reason } = prober.refusals();
    return { transmitters: opened, sent, refused, reason };
  } finally {
    prober.close();
  }
}

if (import.meta.main) {
  const order: SendOrder = JSON.parse(readFileSync(0, "utf8"));
  process.stdout.write(JSON.stringify(sendProbes(order)));
}
