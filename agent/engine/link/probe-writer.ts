/**
 * Writes probes into a transmitter's slots. Remembers which template each slot holds, so that a probe like the last one
 * in its slot is patched and not copied. Where frames are sent it also writes their headers.
 */

import { ETH_P_IP, ETH_P_IPV6 } from "../../ffi/constants.ts";
import { patchEcho4, patchEcho6 } from "../packet/echo.ts";
import { TCP_ACK, TCP_SYN, UDP } from "../packet/probe-kind.ts";
import { newSynBatch, patchAck4, patchSyns4, patchTcp6, type SynBatch } from "../packet/tcp.ts";
import { patchUdp4, patchUdp6 } from "../packet/udp.ts";
import type { PcapWriter } from "./capture.ts";
import { type NumberedTemplate, templateNumber, TemplateSet } from "./template-set.ts";
import { BATCH_PACKETS, SLOT_BYTES, type Transmitter } from "./transmitter.ts";

const NO_TEMPLATE = -1;
const SYN_4 = templateNumber(4, TCP_SYN, 0);

export class ProbeWriter {
  readonly transmitter: Transmitter;
  private readonly view: DataView;
  private readonly headerBytes: number;
  private readonly templates = new TemplateSet();
  /** By slot: number of the template in it. */
  private readonly held: Int32Array;
  private readonly mac: Uint8Array;
  private readonly capture: PcapWriter | undefined;
  private readonly k0: number;
  private readonly k1: number;
  private readonly syn: NumberedTemplate;
  private readonly syns: SynBatch = newSynBatch(BATCH_PACKETS);
  private readonly synSlots = new Int32Array(BATCH_PACKETS);
  private readonly oneTarget = new Int32Array(1);
  private readonly onePort = new Uint16Array(1);

  /** @param mac our hardware address; not used where the kernel writes frames */
  constructor(
    transmitter: Transmitter,
    mac: Uint8Array,
    k0: number,
    k1: number,
    capture: PcapWriter | undefined,
  ) {
    this.transmitter = transmitter;
    this.view = transmitter.view;
    this.headerBytes = transmitter.headerBytes;
    this.held = new Int32Array(transmitter.slotCount).fill(NO_TEMPLATE);
    this.mac = mac;
    this.capture = capture;
    this.k0 = k0;
    this.k1 = k1;
    this.syn = this.templates.get(SYN_4);
  }

  /** Adds a SYN over IPv4: only noted here, and written with the others by `flush`. */
  addSyn4(
    source: number,
    target: number,
    port: number,
    sourcePort: number,
    macHigh: number,
    macLow: number,
  ): void {
    this.oneTarget[0] = target;
    this.onePort[0] = port;
    this.addSyns4(1, source, this.oneTarget, this.onePort, sourcePort, macHigh, macLow);
  }

  /** Adds SYNs over IPv4 from one source to one next hop. */
  addSyns4(
    count: number,
    source: number,
    targets: Int32Array,
    ports: Uint16Array,
    sourcePort: number,
    macHigh: number,
    macLow: number,
  ): void {
    const { syns, view, headerBytes, transmitter, held, synSlots } = this;
    // What is noted has one source.
    if (syns.source !== source) this.finishSyns();
    syns.source = source;
    const { places, targets: noted, portPairs, count: first } = syns;
    for (let i = 0; i < count; i++) {
      const slot = transmitter.nextSlot();
      synSlots[first + i] = slot;
      if (held[slot] !== SYN_4) this.load(slot, SYN_4, this.syn, ETH_P_IP);
    }
    // Apart from the loop above, which may call: the compiler keeps everything at hand in one that does not.
    for (let i = 0; i < count; i++) {
      const n = first + i;
      const at = ((synSlots[n] ?? 0) * SLOT_BYTES) | 0;
      if (headerBytes > 0) {
        view.setUint16(at, macHigh);
        view.setInt32(at + 2, macLow);
      }
      places[n] = at + headerBytes;
      noted[n] = targets[i] ?? 0;
      portPairs[n] = ((ports[i] ?? 0) << 16) | sourcePort;
    }
    syns.count = first + count;
  }

  /** Finishes what was added and sends it. Returns how many packets went out. */
  flush(): number {
    this.finishSyns();
    return this.transmitter.flush();
  }

  private finishSyns(): void {
    const { syns, syn, synSlots, view, transmitter, capture, k0, k1 } = this;
    const { count, places, source, targets, portPairs, cookies } = syns;
    patchSyns4(view, count, places, source, targets, portPairs, cookies, syn.ipSum, syn.transportSum, k0, k1);
    const frameBytes = this.headerBytes + syn.lengthBytes;
    for (let i = 0; i < count; i++) {
      capture?.write(view, places[i] ?? 0, syn.lengthBytes);
      transmitter.commit(synSlots[i] ?? 0, frameBytes);
    }
    syns.count = 0;
  }

  /** Any other probe over IPv4. Addresses are 32-bit, host order; the next hop's MAC comes as its upper 16 and lower 32 bits. */
  add4(
    kind: number,
    payload: number,
    source: number,
    target: number,
    sourcePort: number,
    port: number,
    macHigh: number,
    macLow: number,
  ): void {
    const number = templateNumber(4, kind, payload);
    const template = this.templates.get(number);
    const { transmitter, view, k0, k1 } = this;
    const { ipSum, transportSum } = template;
    const slot = transmitter.nextSlot();
    if (this.held[slot] !== number) this.load(slot, number, template, ETH_P_IP);
    const at = this.writeNextHop(slot, macHigh, macLow);
    if (kind === UDP) {
      const { cookieAt, cookieBytes } = template;
      patchUdp4(
        view,
        at,
        ipSum,
        transportSum,
        k0,
        k1,
        source,
        target,
        sourcePort,
        port,
        cookieAt,
        cookieBytes,
      );
    } else if (kind === TCP_ACK) {
      patchAck4(view, at, ipSum, transportSum, k0, k1, source, target, sourcePort, port);
    } else {
      patchEcho4(view, at, ipSum, transportSum, k0, k1, source, target, sourcePort);
    }
    this.capture?.write(view, at, template.lengthBytes);
    transmitter.commit(slot, this.headerBytes + template.lengthBytes);
  }

  /** Addresses are four words each, most significant first. */
  add6(
    kind: number,
    payload: number,
    s0: number,
    s1: number,
    s2: number,
    s3: number,
    t0: number,
    t1: number,
    t2: number,
    t3: number,
    sourcePort: number,
    port: number,
    macHigh: number,
    macLow: number,
  ): void {
    const number = templateNumber(6, kind, payload);
    const template = this.templates.get(number);
    const { transmitter, view, k0, k1 } = this;
    const { transportSum } = template;
    const slot = transmitter.nextSlot();
    if (this.held[slot] !== number) this.load(slot, number, template, ETH_P_IPV6);
    const at = this.writeNextHop(slot, macHigh, macLow);
    if (kind === UDP) {
      const { cookieAt, cookieBytes } = template;
      patchUdp6(
        view,
        at,
        transportSum,
        k0,
        k1,
        s0,
        s1,
        s2,
        s3,
        t0,
        t1,
        t2,
        t3,
        sourcePort,
        port,
        cookieAt,
        cookieBytes,
      );
    } else if (kind === TCP_SYN || kind === TCP_ACK) {
      const acknowledges = kind === TCP_ACK ? -1 : 0;
      patchTcp6(
        view,
        at,
        transportSum,
        k0,
        k1,
        s0,
        s1,
        s2,
        s3,
        t0,
        t1,
        t2,
        t3,
        sourcePort,
        port,
        acknowledges,
      );
    } else {
      patchEcho6(view, at, transportSum, k0, k1, s0, s1, s2, s3, t0, t1, t2, t3, sourcePort);
    }
    this.capture?.write(view, at, template.lengthBytes);
    transmitter.commit(slot, this.headerBytes + template.lengthBytes);
  }

  /** Returns where the packet in this slot begins. */
  private writeNextHop(slot: number, macHigh: number, macLow: number): number {
    const at = slot * SLOT_BYTES;
    if (this.headerBytes > 0) {
      this.view.setUint16(at, macHigh);
      this.view.setInt32(at + 2, macLow);
    }
    return at + this.headerBytes;
  }

  private load(slot: number, number: number, { packet }: NumberedTemplate, etherType: number): void {
    const at = slot * SLOT_BYTES;
    if (this.headerBytes > 0) {
      this.transmitter.bytes.set(this.mac, at + 6);
      this.view.setUint16(at + 12, etherType);
    }
    this.transmitter.bytes.set(packet, at + this.headerBytes);
    this.held[slot] = number;
  }
}
