/**
 * Opens an AF_XDP socket for sending (Documentation/networking/af_xdp.rst): the memory that frames are built in, and the
 * two rings that say whose turn it is. Copy mode, which works on every driver with CAP_NET_RAW alone, and without a
 * program on the interface, so that its traffic is not disturbed. Sending itself is `xdp-transmitter.ts`.
 */

import {
  AF_XDP,
  MAP_ANONYMOUS,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  SOCK_CLOEXEC,
  SOCK_RAW,
  SOL_XDP,
  XDP_COPY,
  XDP_MAX_TX_SKB_BUDGET,
  XDP_MMAP_OFFSETS,
  XDP_PGOFF_TX_RING,
  XDP_TX_RING,
  XDP_UMEM_COMPLETION_RING,
  XDP_UMEM_FILL_RING,
  XDP_UMEM_PGOFF_COMPLETION_RING,
  XDP_UMEM_REG,
  XDP_USE_NEED_WAKEUP,
} from "../../ffi/constants.ts";
import { checked, errno, errnoName, libc, SystemCallError } from "../../ffi/libc.ts";
import { type Address, mappedAddress, mappedBytes, PinnedMemory } from "../../ffi/memory.ts";
import { BATCH_PACKETS, SLOT_BYTES } from "./transmitter.ts";

/** Frames. 4 MiB of them, so that two sockets stay within the locked memory that users are allowed by default, 8 MiB. */
export const XDP_FRAMES = 2_048;
/** A batch is taken whole before the next is put in. */
const TX_RING_ENTRIES = BATCH_PACKETS;
/** The kernel wants a ring of frames to receive into. Nothing is received. */
const FILL_RING_ENTRIES = 2;

/** A socket that was just closed on the same queue may hold it for a moment: the kernel clears up later. */
const BIND_TRIES = 12;
const BIND_WAIT_MS = 15;

// struct xdp_umem_reg, as far as Linux 4.18 knew it (linux/if_xdp.h)
const UMEM_REG_BYTES = 24;
// struct xdp_mmap_offsets: four times struct xdp_ring_offset, for receiving, sending, filling, completing
const RING_OFFSET_BYTES = 32;
const SENDING = RING_OFFSET_BYTES;
const COMPLETING = 3 * RING_OFFSET_BYTES;
const MMAP_OFFSETS_BYTES = 4 * RING_OFFSET_BYTES;
// struct sockaddr_xdp
const SOCKADDR_XDP_BYTES = 16;
// struct xdp_desc of the sending ring, and a frame's address in the completion ring
const DESCRIPTOR_BYTES = 16;
const ADDRESS_BYTES = 8;

/** A ring in memory shared with the kernel; places are counted in 32-bit words. Indexes run on and wrap at 2³². */
export interface XdpRing {
  readonly words: Int32Array;
  readonly producer: number;
  readonly consumer: number;
  readonly entries: number;
  /** One less than the number of entries, which is a power of two. */
  readonly mask: number;
}

export interface XdpSocket {
  readonly fd: number;
  /** XDP_FRAMES of SLOT_BYTES each. */
  readonly frames: ArrayBuffer;
  readonly sending: XdpRing;
  readonly completing: XdpRing;
  close(): void;
}

/**
 * @param queue transmit queue of the interface, from 0; takes one AF_XDP socket at a time
 * @throws SystemCallError EPERM without CAP_NET_RAW, EAFNOSUPPORT where the kernel has no AF_XDP, EBUSY where the queue
 *   is taken, ENOBUFS where too little memory may be locked, EINVAL where the interface has no such queue
 */
export function openXdpSocket(interfaceIndex: number, queue: number): XdpSocket {
  const fd = checked(libc.socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", "opening an AF_XDP socket");
  const mappings: { readonly address: Address; readonly lengthBytes: number }[] = [];
  const map = (lengthBytes: number, flags: number, from: number, offset: number): Mapped => {
    const returned = libc.mmap(null, lengthBytes, PROT_READ | PROT_WRITE, flags, from, offset);
    const address = mappedAddress(returned);
    if (address === undefined) throw new SystemCallError("mmap", errno(), "mapping AF_XDP memory");
    mappings.push({ address, lengthBytes });
    return { address, bytes: mappedBytes(address, lengthBytes) };
  };
  const close = (): void => {
    libc.close(fd);
    for (const { address, lengthBytes } of mappings) libc.munmap(address, lengthBytes);
  };
  try {
    const frames = map(XDP_FRAMES * SLOT_BYTES, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    registerFrames(fd, frames);
    setRing(fd, XDP_UMEM_FILL_RING, FILL_RING_ENTRIES);
    setRing(fd, XDP_UMEM_COMPLETION_RING, XDP_FRAMES);
    setRing(fd, XDP_TX_RING, TX_RING_ENTRIES);
    // Since Linux 6.17 a call may take more than 32 frames. Without it, it is called twice as often.
    setNumber(fd, XDP_MAX_TX_SKB_BUDGET, TX_RING_ENTRIES);
    const offsets = ringOffsets(fd);
    const ring = (place: number, entries: number, entryBytes: number, offset: number): XdpRing => {
      const at = (field: number): number => Number(offsets.getBigUint64(place + field * 8, true));
      const [producer, consumer, first] = [at(0), at(1), at(2)];
      const { bytes } = map(first + entries * entryBytes, MAP_SHARED | MAP_POPULATE, fd, offset);
      return {
        words: new Int32Array(bytes),
        producer: producer / 4,
        consumer: consumer / 4,
        entries: first / 4,
        mask: entries - 1,
      };
    };
    const sending = ring(SENDING, TX_RING_ENTRIES, DESCRIPTOR_BYTES, XDP_PGOFF_TX_RING);
    const completing = ring(COMPLETING, XDP_FRAMES, ADDRESS_BYTES, XDP_UMEM_PGOFF_COMPLETION_RING);
    bindToQueue(fd, interfaceIndex, queue);
    return { fd, frames: frames.bytes, sending, completing, close };
  } catch (error) {
    close();
    throw error;
  }
}

interface Mapped {
  readonly address: Address;
  readonly bytes: ArrayBuffer;
}

function registerFrames(fd: number, { address, bytes }: Mapped): void {
  const request = new PinnedMemory(UMEM_REG_BYTES);
  request.view.setBigUint64(0, BigInt(address), true);
  request.view.setBigUint64(8, BigInt(bytes.byteLength), true);
  request.view.setUint32(16, SLOT_BYTES, true);
  const result = libc.setsockopt(fd, SOL_XDP, XDP_UMEM_REG, request.address, UMEM_REG_BYTES);
  checked(result, "setsockopt", "registering AF_XDP frames");
}

function setRing(fd: number, option: number, entries: number): void {
  checked(setNumber(fd, option, entries), "setsockopt", "making an AF_XDP ring");
}

function setNumber(fd: number, option: number, value: number): number {
  const memory = new PinnedMemory(4);
  memory.view.setUint32(0, value, true);
  return libc.setsockopt(fd, SOL_XDP, option, memory.address, 4);
}

function ringOffsets(fd: number): DataView {
  const offsets = new PinnedMemory(MMAP_OFFSETS_BYTES);
  const length = new PinnedMemory(4);
  length.view.setUint32(0, MMAP_OFFSETS_BYTES, true);
  const result = libc.getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, offsets.address, length.address);
  checked(result, "getsockopt", "finding the AF_XDP rings");
  return offsets.view;
}

function bindToQueue(fd: number, interfaceIndex: number, queue: number): void {
  const name = new PinnedMemory(SOCKADDR_XDP_BYTES);
  name.view.setUint16(0, AF_XDP, true);
  name.view.setUint16(2, XDP_COPY | XDP_USE_NEED_WAKEUP, true);
  name.view.setUint32(4, interfaceIndex, true);
  name.view.setUint32(8, queue, true);
  const idle = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 1; libc.bind(fd, name.address, SOCKADDR_XDP_BYTES) < 0; tries++) {
    const number = errno();
    if (errnoName(number) !== "EBUSY" || tries === BIND_TRIES) {
      throw new SystemCallError("bind", number, `taking transmit queue ${queue} for AF_XDP`);
    }
    Atomics.wait(idle, 0, 0, BIND_WAIT_MS);
  }
}
