/** Takes packets and sends none: for measuring how fast they are made, and for looking at them. */

import { BATCH_PACKETS, ETHERNET_HEADER, SLOT_BYTES, type Transmitter } from "../transmitter.ts";

export class MemoryTransmitter implements Transmitter {
  readonly bytes = new Uint8Array(new ArrayBuffer(BATCH_PACKETS * SLOT_BYTES));
  readonly link = "packet";
  readonly view = new DataView(this.bytes.buffer);
  readonly headerBytes = ETHERNET_HEADER;
  readonly slotCount = BATCH_PACKETS;
  readonly refused = 0;
  readonly lastRefusal = "";
  /** By slot: length of the frame that was last committed in it. */
  readonly lengths = new Int32Array(BATCH_PACKETS);
  private taken = 0;

  room(): number {
    return BATCH_PACKETS - this.taken;
  }

  nextSlot(): number {
    return this.taken++;
  }

  commit(slot: number, lengthBytes: number): void {
    this.lengths[slot] = lengthBytes;
  }

  flush(): number {
    const { taken } = this;
    this.taken = 0;
    return taken;
  }

  close(): void {
    // Nothing is held.
  }
}
