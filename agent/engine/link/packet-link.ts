/**
 * Sends probes as Ethernet frames through AF_PACKET (packet(7)), past the kernel's routing and its queueing discipline.
 * Who the next hop is must be known before: `neighbours.ts` finds out.
 */

import { checked, libc } from "../../ffi/libc.ts";
import {
  AF_PACKET,
  ETH_P_IP,
  PACKET_QDISC_BYPASS,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_PACKET,
} from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { patchSyn, type SynTemplate } from "../packet/syn.ts";
import { SendBatch } from "./send-batch.ts";
import { SOCKADDR_LL_BYTES, writeSockaddrLl } from "./socket-address.ts";

const ETHERNET_HEADER = 14;

export class PacketLink {
  readonly batch: SendBatch;
  private readonly template: SynTemplate;

  /** @throws SystemCallError EPERM without CAP_NET_RAW */
  constructor(template: SynTemplate) {
    // Protocol 0: this socket sends and must receive nothing.
    const fd = checked(
      libc.socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0),
      "socket",
      "opening a packet socket",
    );
    const on = new PinnedMemory(4);
    on.view.setInt32(0, 1, true);
    // Best effort: without it packets pass the queueing discipline, which costs time and nothing else.
    libc.setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, on.address, 4);

    const frame = new Uint8Array(ETHERNET_HEADER + template.packet.length);
    new DataView(frame.buffer).setUint16(12, ETH_P_IP);
    frame.set(template.packet, ETHERNET_HEADER);
    this.template = template;
    this.batch = new SendBatch(fd, frame, SOCKADDR_LL_BYTES);
  }

  /** MAC addresses come as their upper 16 and lower 32 bits, `interfaceIndex` says where the frame leaves. */
  add(
    k0: number,
    k1: number,
    source: number,
    target: number,
    sourcePort: number,
    targetPort: number,
    interfaceIndex: number,
    ourMacHigh: number,
    ourMacLow: number,
    theirMacHigh: number,
    theirMacLow: number,
  ): void {
    const { batch, template } = this;
    const { packets } = batch;
    const at = batch.packetAt();
    packets.setUint16(at, theirMacHigh);
    packets.setInt32(at + 2, theirMacLow);
    packets.setUint16(at + 6, ourMacHigh);
    packets.setInt32(at + 8, ourMacLow);
    patchSyn(
      packets,
      at + ETHERNET_HEADER,
      template.ipSum,
      template.tcpSum,
      k0,
      k1,
      source,
      target,
      sourcePort,
      targetPort,
    );
    writeSockaddrLl(batch.names, batch.nameAt(), ETH_P_IP, interfaceIndex);
    batch.count++;
  }
}
