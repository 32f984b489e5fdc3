/** Classic BPF programs (linux/filter.h): what a socket must not even see is dropped in the kernel, before it costs a copy. */

import { SO_ATTACH_FILTER, SOL_SOCKET } from "../../ffi/constants.ts";
import { checked, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";

/** Code, jump if true, jump if false, constant. */
export type Instruction = readonly [number, number, number, number];

const INSTRUCTION_BYTES = 8;

/** @throws SystemCallError */
export function attachFilter(fd: number, instructions: readonly Instruction[]): void {
  const program = new PinnedMemory(instructions.length * INSTRUCTION_BYTES);
  instructions.forEach(([code, ifTrue, ifFalse, constant], i) => {
    const at = i * INSTRUCTION_BYTES;
    program.view.setUint16(at, code, true);
    program.view.setUint8(at + 2, ifTrue);
    program.view.setUint8(at + 3, ifFalse);
    program.view.setUint32(at + 4, constant, true);
  });
  // struct sock_fprog: a 16-bit length, padding, a pointer.
  const header = new PinnedMemory(16);
  header.view.setUint16(0, instructions.length, true);
  header.writePointer(8, program);
  checked(
    libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, header.address, 16),
    "setsockopt(SO_ATTACH_FILTER)",
    "filtering what a socket receives",
  );
}
