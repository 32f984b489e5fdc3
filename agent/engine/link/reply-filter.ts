/**
 * The classic BPF program that lets only possible answers through to the receiver: TCP to our source ports, and the
 * ICMP errors that quote a probe. Everything else is dropped in the kernel, before it costs a copy.
 * Instruction encoding from linux/filter.h; the packet starts at its IPv4 header.
 */

import { checked, libc } from "../../ffi/libc.ts";
import { SO_ATTACH_FILTER, SOL_SOCKET } from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";

const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const LOAD_HALF_INDEXED = 0x48;
const LOAD_BYTE_INDEXED = 0x50;
/** X = 4 × (P[k] & 15): the length of the IP header. */
const LOAD_X_HEADER_LENGTH = 0xb1;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;

const WHOLE_PACKET = 0x4_0000;

/** code, jump if true, jump if false, constant */
export type Instruction = readonly [number, number, number, number];

/** The program for answers to the ports from `firstPort` to `lastPort`. */
export function replyFilter(firstPort: number, lastPort: number): readonly Instruction[] {
  return [
    /*  0 */ [LOAD_BYTE, 0, 0, 9],
    /*  1 */ [JUMP_EQUAL, 0, 6, 6], // TCP, else 8
    /*  2 */ [LOAD_HALF, 0, 0, 6],
    /*  3 */ [JUMP_SET, 9, 0, 0x1fff], // a later fragment: drop
    /*  4 */ [LOAD_X_HEADER_LENGTH, 0, 0, 0],
    /*  5 */ [LOAD_HALF_INDEXED, 0, 0, 2],
    /*  6 */ [JUMP_GREATER_EQUAL, 0, 6, firstPort],
    /*  7 */ [JUMP_GREATER, 5, 6, lastPort],
    /*  8 */ [JUMP_EQUAL, 0, 4, 1], // ICMP, else drop
    /*  9 */ [LOAD_X_HEADER_LENGTH, 0, 0, 0],
    /* 10 */ [LOAD_BYTE_INDEXED, 0, 0, 0],
    /* 11 */ [JUMP_EQUAL, 2, 0, 3], // destination unreachable
    /* 12 */ [JUMP_EQUAL, 1, 0, 11], // time exceeded
    /* 13 */ [RETURN, 0, 0, 0],
    /* 14 */ [RETURN, 0, 0, WHOLE_PACKET],
  ];
}

const INSTRUCTION_BYTES = 8;

/** @throws SystemCallError */
export function attachReplyFilter(fd: number, firstPort: number, portCount: number): void {
  const instructions = replyFilter(firstPort, firstPort + portCount - 1);
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
    "filtering replies",
  );
}
