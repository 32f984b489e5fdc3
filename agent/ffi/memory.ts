/**
 * Memory that the kernel may hold a pointer to.
 * Starts as a plain ArrayBuffer: the storage of a small `new Uint8Array(n)` moves when somebody touches `.buffer`,
 * and the kernel would write through a stale pointer. This file alone calls `ptr()`.
 */

import { type Pointer, ptr, read, toArrayBuffer } from "bun:ffi";

/** Zeroed bytes at a fixed address, for as long as this object is referenced. */
export class PinnedMemory {
  readonly buffer: ArrayBuffer;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly address: Pointer;

  constructor(lengthBytes: number) {
    this.buffer = new ArrayBuffer(lengthBytes);
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.address = ptr(this.buffer);
  }

  /** The address of the byte at `byteOffset`. */
  addressOf(byteOffset: number): Pointer {
    return ptr(this.buffer, byteOffset);
  }

  /** Writes the address of `target` plus `byteOffset` as a 64-bit pointer at `at`. */
  writePointer(at: number, target: PinnedMemory, byteOffset = 0): void {
    this.view.setBigUint64(at, BigInt(target.address + byteOffset), true);
  }
}

/** What a C function that returns a pointer gives: a number, or a bigint where the value passes 2⁵³. */
export type Address = Pointer | bigint;

/** The mapped address, or undefined where mmap answered MAP_FAILED, which is (void *)-1. */
export function mappedAddress(returned: Address | null): Address | undefined {
  // User space addresses stay below 2⁴⁷.
  return returned === null || returned < 0 || returned >= 2 ** 47 ? undefined : returned;
}

/** A view of memory that the kernel mapped. It must not be touched after `munmap`. */
export function mappedBytes(address: Address, lengthBytes: number): ArrayBuffer {
  return toArrayBuffer(address, 0, lengthBytes);
}

export function readInt32(address: Address): number {
  return read.i32(address, 0);
}
