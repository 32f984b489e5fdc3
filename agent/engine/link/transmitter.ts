/**
 * A way for finished packets to leave: the memory they are built in, and the call that sends what was built.
 * Three reach the network: an AF_XDP ring and an AF_PACKET socket take Ethernet frames, a raw IP socket takes IP packets.
 */

import { PortolanError } from "#shared/errors.ts";

/** Packets sent with one system call at most. More gains nothing and makes pacing coarser. */
export const BATCH_PACKETS = 64;

/** Bytes reserved for each packet. */
export const SLOT_BYTES = 2_048;

/** The header of a frame: both hardware addresses and the type of what follows. */
export const ETHERNET_HEADER = 14;

/** LINK_STALLED: the interface is down and stays so, and the scan ends. @param why the call and its error */
export function linkStalled(why: string): PortolanError {
  return new PortolanError("LINK_STALLED", `the interface takes no packets (${why}); is it up?`);
}

/** Passes at most `ms`, less where there is a reason to stop. Returns whether to go on. */
export type Wait = (ms: number) => boolean;

/** As `--link` names them. */
export type TransmitterLink = "xdp" | "packet" | "raw";

export interface Transmitter {
  readonly link: TransmitterLink;
  /** Where packets are built. Stable for the life of the transmitter. */
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Bytes before the IP header: 14 where Ethernet frames are sent, else 0. */
  readonly headerBytes: number;
  readonly slotCount: number;
  /** How many packets may be added before the next flush: BATCH_PACKETS, or fewer while the kernel holds on to slots. */
  room(): number;
  /**
   * Takes a slot for a packet: a number from 0, the packet begins at slot × SLOT_BYTES. The kernel no longer reads it. What
   * was built in it before is still there, so a packet like the last one needs only its differences written.
   */
  nextSlot(): number;
  /** The packet in the slot is built and may go. Every slot that was taken is committed before `flush`, in any order. */
  commit(slot: number, lengthBytes: number): void;
  /**
   * Sends what was committed. Returns how many packets went out; the others are counted as refused.
   * @throws PortolanError LINK_STALLED
   */
  flush(): number;
  /** Packets that the kernel refused so far, and why the last one was; "" while there is none. */
  readonly refused: number;
  readonly lastRefusal: string;
  close(): void;
}
