/**
 * The limit of one sender: the same frame again and again through the scanner's own ring, with nothing worked out for
 * any of them. What it takes is the kernel's. Ends when it is killed, or after a minute.
 */

import { readFileSync } from "node:fs";
import { XdpTransmitter } from "../../agent/engine/link/xdp-transmitter.ts";
import { SLOT_BYTES } from "../../agent/engine/link/transmitter.ts";
import { TCP_SYN } from "../../agent/engine/packet/probe-kind.ts";
import { buildTcpTemplate } from "../../agent/engine/packet/tcp.ts";

const MAX_MS = 60_000;
const BATCHES_A_LOOK = 1_000;

const [, , interfaceName = "", targetMac = ""] = process.argv;
const interfaceIndex = Number(readFileSync(`/sys/class/net/${interfaceName}/ifindex`, "utf8"));
const frame = Buffer.concat([
  Buffer.from(targetMac.replaceAll(":", ""), "hex"),
  Buffer.from("0200000000010800", "hex"),
  buildTcpTemplate(4, TCP_SYN).packet,
]);
const transmitter = new XdpTransmitter(interfaceIndex, 0, () => true);
for (let slot = 0; slot < transmitter.slotCount; slot++) transmitter.bytes.set(frame, slot * SLOT_BYTES);

function send(batches: number): void {
  for (let batch = 0; batch < batches; batch++) {
    for (let room = transmitter.room(); room > 0; room--)
      transmitter.commit(transmitter.nextSlot(), frame.length);
    transmitter.flush();
  }
}

const endMs = performance.now() + MAX_MS;
while (performance.now() < endMs) send(BATCHES_A_LOOK);
transmitter.close();
