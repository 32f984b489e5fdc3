/**
 * Writes packets to a capture file that Wireshark and tcpdump open: classic pcap with times in nanoseconds and packets
 * that begin at their IP header (draft-ietf-opsawg-pcap, LINKTYPE_RAW). Several threads may write to one file at once:
 * the kernel keeps each appending write in one piece, and each write holds whole records.
 */

import { closeSync, openSync, writeSync } from "node:fs";
import { errorMessage, UsageError } from "#shared/errors.ts";

const MAGIC_NANOSECONDS = 0xa1b2_3c4d;
const FILE_HEADER_BYTES = 24;
const RECORD_HEADER_BYTES = 16;
const LINKTYPE_RAW = 101;
/** No IP packet is longer, but for jumbograms. */
const SNAP_BYTES = 65_535;
const BUFFER_BYTES = RECORD_HEADER_BYTES + SNAP_BYTES;

/**
 * Makes the file, or empties it, and writes its header. Once, before any thread opens it with a PcapWriter.
 * @throws UsageError FILE_NOT_WRITABLE
 */
export function createCapture(path: string): void {
  const header = new DataView(new ArrayBuffer(FILE_HEADER_BYTES));
  header.setUint32(0, MAGIC_NANOSECONDS, true);
  // Version 2.4; time zone and accuracy stay 0.
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, SNAP_BYTES, true);
  header.setUint32(20, LINKTYPE_RAW, true);
  try {
    const fd = openSync(path, "w");
    try {
      writeSync(fd, header);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw notWritable(path, error);
  }
}

function notWritable(path: string, cause: unknown): UsageError {
  return new UsageError(
    "FILE_NOT_WRITABLE",
    `cannot write the capture file ${path}: ${errorMessage(cause)}`,
    { cause },
  );
}

/** Appends to a file that `createCapture` made. A file that cannot be written ends the capture, not the scan. */
export class PcapWriter {
  private readonly fd: number;
  private readonly path: string;
  private readonly bytes = new Uint8Array(new ArrayBuffer(BUFFER_BYTES));
  private readonly view = new DataView(this.bytes.buffer);
  private used = 0;
  private packetsInBuffer = 0;
  private packetsLost = 0;
  private failure = "";

  /** @throws UsageError FILE_NOT_WRITABLE */
  constructor(path: string) {
    this.path = path;
    try {
      this.fd = openSync(path, "a");
    } catch (error) {
      throw notWritable(path, error);
    }
  }

  /** What went wrong and how many packets are missing from the file for it; "" while all is well. */
  get failed(): string {
    return this.failure === ""
      ? ""
      : `the capture file ${this.path} lacks ${this.packetsLost} packets: ${this.failure}`;
  }

  /** Adds the packet of `lengthBytes` at `at`, with the present time. */
  write(view: DataView, at: number, lengthBytes: number): void {
    const nowMs = performance.timeOrigin + performance.now();
    const seconds = Math.floor(nowMs / 1_000);
    this.writeAt(view, at, lengthBytes, seconds, Math.floor((nowMs - seconds * 1_000) * 1e6));
  }

  /** Adds the packet of `lengthBytes` at `at`, with a time of the wall clock that was taken before. */
  writeAt(view: DataView, at: number, lengthBytes: number, seconds: number, nanoseconds: number): void {
    const keptBytes = Math.min(lengthBytes, SNAP_BYTES);
    if (this.used + RECORD_HEADER_BYTES + keptBytes > BUFFER_BYTES) this.flush();
    if (this.failure !== "") {
      this.packetsLost++;
      return;
    }
    const record = this.used;
    this.view.setUint32(record, seconds, true);
    this.view.setUint32(record + 4, nanoseconds, true);
    this.view.setUint32(record + 8, keptBytes, true);
    this.view.setUint32(record + 12, lengthBytes, true);
    this.bytes.set(
      new Uint8Array(view.buffer, view.byteOffset + at, keptBytes),
      record + RECORD_HEADER_BYTES,
    );
    this.used += RECORD_HEADER_BYTES + keptBytes;
    this.packetsInBuffer++;
  }

  flush(): void {
    if (this.used === 0) return;
    try {
      const writtenBytes = writeSync(this.fd, this.bytes, 0, this.used);
      // The rest of a record must not follow later: another thread may have written in between.
      if (writtenBytes < this.used) this.fail("the disk is full");
    } catch (error) {
      this.fail(errorMessage(error));
    }
    this.used = 0;
    this.packetsInBuffer = 0;
  }

  close(): void {
    this.flush();
    closeSync(this.fd);
  }

  private fail(reason: string): void {
    this.failure = reason;
    this.packetsLost += this.packetsInBuffer;
  }
}
