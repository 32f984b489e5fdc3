/**
 * Sends probes as IP packets through a raw socket with IP_HDRINCL (raw(7)). The kernel routes each by itself, so this
 * works on every interface: loopback, tunnels, PPP. On Ethernet the packet link is faster, and does not wait for the
 * kernel's own address resolution of hosts that are not there.
 */

import { checked, libc } from "../../ffi/libc.ts";
import { AF_INET, IPPROTO_RAW, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { patchSyn, type SynTemplate } from "../packet/syn.ts";
import { SendBatch } from "./send-batch.ts";
import { SOCKADDR_IN_BYTES, writeSockaddrIn } from "./socket-address.ts";

export class RawLink {
  readonly batch: SendBatch;
  private readonly template: SynTemplate;

  /** @throws SystemCallError EPERM without CAP_NET_RAW */
  constructor(template: SynTemplate) {
    // IPPROTO_RAW implies IP_HDRINCL.
    const fd = checked(
      libc.socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW),
      "socket",
      "opening a raw IP socket",
    );
    this.template = template;
    this.batch = new SendBatch(fd, template.packet, SOCKADDR_IN_BYTES);
  }

  add(k0: number, k1: number, source: number, target: number, sourcePort: number, targetPort: number): void {
    const { batch, template } = this;
    patchSyn(
      batch.packets,
      batch.packetAt(),
      template.ipSum,
      template.tcpSum,
      k0,
      k1,
      source,
      target,
      sourcePort,
      targetPort,
    );
    writeSockaddrIn(batch.names, batch.nameAt(), target, 0);
    batch.count++;
  }
}
