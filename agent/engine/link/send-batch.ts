/**
 * Packets waiting to go out together: one `sendmmsg` for many, because a system call costs more than building a packet.
 * Owns the memory that the kernel reads and the socket it goes through; what is in a packet is its callers' business.
 */

import { SO_SNDBUF, SOL_SOCKET } from "../../ffi/constants.ts";
import { errno, errnoName, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { BATCH_PACKETS, linkStalled, SLOT_BYTES, type Wait } from "./transmitter.ts";

// struct iovec (sys/uio.h) and struct mmsghdr (sys/socket.h), 64-bit
const IOVEC_BYTES = 16;
const IOV_LEN = 8;
const MMSGHDR_BYTES = 64;
const MSG_NAME = 0;
const MSG_NAMELEN = 8;
const MSG_IOV = 16;
const MSG_IOVLEN = 24;

/** The queue of the network card is full: the packet is fine, the moment is not. */
const TRANSIENT = new Set(["EAGAIN", "ENOBUFS", "ENOMEM"]);
/** The interface is down, or gone. It may come back within the same time; else nothing more can be sent. */
const DOWN = new Set(["ENETDOWN", "ENXIO"]);
/** A queue that drains at all drains within microseconds; so many tries cost about as much as one wait. */
const RETRIES_AT_ONCE = 64;
const MAX_TRANSIENT_RETRIES = 2_000;
const RETRY_WAIT_MS = 1;

const SEND_BUFFER_BYTES = 4 * 1024 * 1024;

export class SendBatch {
  /** Slots for packets and, one after the other, the socket addresses that they go to. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly names: DataView;
  /** Slots given out since the last flush; each is committed before the next. */
  taken = 0;
  /** Packets that the kernel refused, and the last reason. */
  refused = 0;
  lastRefusal = "";
  private readonly fd: number;
  private readonly wait: Wait;
  private readonly headers = new PinnedMemory(BATCH_PACKETS * MMSGHDR_BYTES);
  private readonly vectors: DataView;
  /** Referenced for as long as the kernel may read through `headers`. */
  private readonly pinned: readonly PinnedMemory[];

  /** @param nameBytes length of a socket address; 0 where the socket is bound to where packets leave */
  constructor(fd: number, nameBytes: number, wait: Wait) {
    const slots = new PinnedMemory(BATCH_PACKETS * SLOT_BYTES);
    const vectors = new PinnedMemory(BATCH_PACKETS * IOVEC_BYTES);
    const names = new PinnedMemory(Math.max(1, BATCH_PACKETS * nameBytes));
    for (let slot = 0; slot < BATCH_PACKETS; slot++) {
      vectors.writePointer(slot * IOVEC_BYTES, slots, slot * SLOT_BYTES);
      const header = slot * MMSGHDR_BYTES;
      if (nameBytes > 0) {
        this.headers.writePointer(header + MSG_NAME, names, slot * nameBytes);
        this.headers.view.setUint32(header + MSG_NAMELEN, nameBytes, true);
      }
      this.headers.writePointer(header + MSG_IOV, vectors, slot * IOVEC_BYTES);
      this.headers.view.setUint32(header + MSG_IOVLEN, 1, true);
    }
    raiseSendBuffer(fd);
    this.fd = fd;
    this.wait = wait;
    this.view = slots.view;
    this.bytes = slots.bytes;
    this.names = names.view;
    this.vectors = vectors.view;
    this.pinned = [slots, vectors, names];
  }

  commit(slot: number, lengthBytes: number): void {
    this.vectors.setInt32(slot * IOVEC_BYTES + IOV_LEN, lengthBytes, true);
  }

  /**
   * Sends all that waits and empties the batch.
   * @returns packets that went out; the others were refused and are counted
   * @throws PortolanError LINK_STALLED when the interface is down and stays so
   */
  flush(): number {
    const total = this.taken;
    this.taken = 0;
    let done = 0;
    let sent = 0;
    let retries = 0;
    while (done < total) {
      const result = libc.sendmmsg(this.fd, this.headers.addressOf(done * MMSGHDR_BYTES), total - done, 0);
      if (result > 0) {
        done += result;
        sent += result;
        continue;
      }
      const reason = errnoName(errno());
      if (reason === "EINTR") continue;
      const isDown = DOWN.has(reason);
      if ((isDown || TRANSIENT.has(reason)) && retries < MAX_TRANSIENT_RETRIES) {
        retries++;
        if (retries <= RETRIES_AT_ONCE || this.wait(RETRY_WAIT_MS)) continue;
      } else if (isDown) throw linkStalled(`sendmmsg: ${reason}`);
      // The kernel names the first packet that it refuses: leave that one out, go on with the rest.
      this.refused++;
      this.lastRefusal = reason;
      done++;
    }
    return sent;
  }

  close(): void {
    libc.close(this.fd);
    this.pinned.forEach(({ bytes }) => bytes.fill(0));
  }
}

/** Best effort: the kernel caps it at wmem_max, and a smaller buffer only means shorter batches. */
export function raiseSendBuffer(fd: number): void {
  const value = new PinnedMemory(4);
  value.view.setInt32(0, SEND_BUFFER_BYTES, true);
  libc.setsockopt(fd, SOL_SOCKET, SO_SNDBUF, value.address, 4);
}
