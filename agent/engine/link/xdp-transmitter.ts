/**
 * Sends Ethernet frames through an AF_XDP ring. A frame belongs to us, then to the kernel until it stands in the
 * completion ring, then to us again; its slot is not given out before. What the kernel does not take at once is offered
 * again, so that no frame is lost unseen.
 */

import { AF_XDP, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { checked, errno, errnoName, libc, SystemCallError } from "../../ffi/libc.ts";
import { raiseSendBuffer } from "./send-batch.ts";
import {
  BATCH_PACKETS,
  ETHERNET_HEADER,
  linkStalled,
  SLOT_BYTES,
  type Transmitter,
  type Wait,
} from "./transmitter.ts";
import { openXdpSocket, XDP_FRAMES, type XdpRing, type XdpSocket } from "./xdp-socket.ts";

const SLOT_BITS = Math.log2(SLOT_BYTES);

// struct xdp_desc (linux/if_xdp.h), in words: a 64-bit address, the length, options
const DESCRIPTOR_WORDS = 4;
const DESCRIPTOR_LENGTH = 2;
/** 64-bit addresses, of which the upper word is 0: there are 4 MiB of frames. */
const ADDRESS_WORDS = 2;

/** A queue that drains at all drains within microseconds; so many tries cost about as much as one wait. */
const RETRIES_AT_ONCE = 64;
const RETRY_WAIT_MS = 1;
/** An interface that takes nothing for so long is down. */
const MAX_WAITS = 2_000;
/** How long the last frames may take to leave when the socket is closed. */
const CLOSE_WAITS = 200;

export class XdpTransmitter implements Transmitter {
  readonly link = "xdp";
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly headerBytes = ETHERNET_HEADER;
  readonly slotCount = XDP_FRAMES;
  refused = 0;
  lastRefusal = "";
  private readonly socket: XdpSocket;
  private readonly wait: Wait;
  private readonly sending: XdpRing;
  private readonly completing: XdpRing;
  /** A stack: the slot used last is the likeliest to be in the processor's cache. */
  private readonly free = new Int32Array(XDP_FRAMES);
  private freeCount = XDP_FRAMES;
  /** Slots given out, frames put into the sending ring, frames taken from the completion ring; all wrap as the rings do. */
  private given = 0;
  private produced = 0;
  private completed = 0;
  /** Where the kernel stood in the sending ring when the last batch was done. */
  private consumed = 0;

  /** @throws SystemCallError as `openXdpSocket` does */
  constructor(interfaceIndex: number, queue: number, wait: Wait) {
    this.socket = openXdpSocket(interfaceIndex, queue);
    raiseSendBuffer(this.socket.fd);
    this.wait = wait;
    this.sending = this.socket.sending;
    this.completing = this.socket.completing;
    this.view = new DataView(this.socket.frames);
    this.bytes = new Uint8Array(this.socket.frames);
    for (let slot = 0; slot < XDP_FRAMES; slot++) this.free[slot] = XDP_FRAMES - 1 - slot;
  }

  /** All or nothing: a batch is not begun before there are slots for the whole of it. */
  room(): number {
    const room = BATCH_PACKETS - ((this.given - this.consumed) | 0);
    if (this.freeCount < room) this.reclaim();
    return this.freeCount < room ? 0 : room;
  }

  nextSlot(): number {
    this.given = (this.given + 1) | 0;
    this.freeCount--;
    return this.free[this.freeCount] ?? 0;
  }

  commit(slot: number, lengthBytes: number): void {
    const { words, entries, mask } = this.sending;
    const at = entries + (this.produced & mask) * DESCRIPTOR_WORDS;
    words[at] = slot << SLOT_BITS;
    words[at + DESCRIPTOR_LENGTH] = lengthBytes;
    this.produced = (this.produced + 1) | 0;
  }

  flush(): number {
    const { fd } = this.socket;
    const { words, producer, consumer } = this.sending;
    const first = this.consumed;
    const end = this.produced;
    if (first === end) return 0;
    Atomics.store(words, producer, end);
    let dropped = 0;
    let retries = 0;
    for (;;) {
      const failed = libc.sendto(fd, null, 0, MSG_DONTWAIT, null, 0) < 0;
      const reason = failed ? errnoName(errno()) : "";
      const taken = Atomics.load(words, consumer);
      if (reason === "EBUSY" && taken !== this.consumed) {
        // The driver threw the last one away.
        dropped++;
        this.lastRefusal = reason;
      }
      if (taken !== this.consumed) retries = 0;
      this.consumed = taken;
      if (taken === end) break;
      // Progress: the kernel stops after so many frames a call.
      if (retries++ === 0) continue;
      this.reclaim();
      if (retries <= RETRIES_AT_ONCE || (this.wait(RETRY_WAIT_MS) && retries <= MAX_WAITS)) continue;
      if (retries > MAX_WAITS) {
        throw linkStalled(`sendto: ${reason || "no error"}`);
      }
      // Told to stop: what is left stays in the ring.
      dropped += (end - taken) | 0;
      this.lastRefusal = reason;
      break;
    }
    this.refused += dropped;
    this.reclaim();
    return ((end - first) | 0) - dropped;
  }

  /** Takes back the slots of frames that the kernel is done with. */
  private reclaim(): void {
    const { words, producer, consumer, entries, mask } = this.completing;
    const { free } = this;
    const end = Atomics.load(words, producer);
    let at = this.completed;
    let count = this.freeCount;
    if (at === end) return;
    while (at !== end) {
      free[count++] = (words[entries + (at & mask) * ADDRESS_WORDS] ?? 0) >>> SLOT_BITS;
      at = (at + 1) | 0;
    }
    this.completed = at;
    this.freeCount = count;
    Atomics.store(words, consumer, at);
  }

  /** Frames that the kernel still has would be lost with the socket: waits a moment for them. */
  close(): void {
    const idle = new Int32Array(new SharedArrayBuffer(4));
    for (let waits = 0; waits < CLOSE_WAITS && this.freeCount < XDP_FRAMES; waits++) {
      this.reclaim();
      if (this.freeCount < XDP_FRAMES) Atomics.wait(idle, 0, 0, RETRY_WAIT_MS);
    }
    this.socket.close();
  }
}

/** Why AF_XDP cannot be used on this queue, with what mends it, for people; undefined where it can. */
export function xdpProblem(interfaceIndex: number, queue: number): string | undefined {
  return problemOf(() => openXdpSocket(interfaceIndex, queue).close());
}

/** Whether there can be AF_XDP sockets at all: told at once, while trying out a queue takes the kernel some 20 ms. */
export function xdpSocketProblem(): string | undefined {
  return problemOf(() => {
    libc.close(
      checked(libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", "opening an AF_XDP socket"),
    );
  });
}

function problemOf(attempt: () => void): string | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    return xdpProblemText(error);
  }
}

/** For people: what an error of `openXdpSocket` means, with what mends it. */
export function xdpProblemText(error: SystemCallError): string {
  return PROBLEMS[error.errno] ?? `AF_XDP is not available here (${error.message})`;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EPERM: "AF_XDP needs root or CAP_NET_RAW",
  EAFNOSUPPORT: "this kernel has no AF_XDP (CONFIG_XDP_SOCKETS)",
  EBUSY: "another AF_XDP socket has the interface's transmit queue",
  ENOBUFS: "AF_XDP may lock too little memory; raise the limit (LimitMEMLOCK= or ulimit -l)",
};
