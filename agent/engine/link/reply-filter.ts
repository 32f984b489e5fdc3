/**
 * The classic BPF programs that let only possible answers through to the receiver: TCP and UDP to our source ports, echo
 * replies with our identifiers, and the ICMP errors that quote a probe. Everything else is dropped in the kernel, before
 * it costs a copy. Encoding of instructions from linux/filter.h; the packet starts at its IP header.
 */

import type { AddressFamily } from "../targets/address-words.ts";
import type { Instruction } from "./socket-filter.ts";

const LOAD_BYTE = 0x30;
const LOAD_HALF = 0x28;
const LOAD_HALF_INDEXED = 0x48;
const LOAD_BYTE_INDEXED = 0x50;
/** X = 4 × (P[k] & 15): the length of the IPv4 header. */
const LOAD_X_HEADER_LENGTH = 0xb1;
const JUMP = 0x05;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_SET = 0x45;
const RETURN = 0x06;

const WHOLE_PACKET = 0x4_0000;

/**
 * The program for answers to the ports from `firstPort` to `lastPort`.
 * Jumps count from the next instruction; how far JUMP goes is its constant.
 */
export function replyFilter(
  family: AddressFamily,
  firstPort: number,
  lastPort: number,
): readonly Instruction[] {
  return family === 4 ? ipv4Filter(firstPort, lastPort) : ipv6Filter(firstPort, lastPort);
}

function ipv4Filter(firstPort: number, lastPort: number): readonly Instruction[] {
  return [
    /*  0 */ [LOAD_HALF, 0, 0, 6],
    /*  1 */ [JUMP_SET, 15, 0, 0x1fff], // a later fragment: drop
    /*  2 */ [LOAD_X_HEADER_LENGTH, 0, 0, 0],
    /*  3 */ [LOAD_BYTE, 0, 0, 9],
    /*  4 */ [JUMP_EQUAL, 9, 0, 6], // TCP: 14
    /*  5 */ [JUMP_EQUAL, 8, 0, 17], // UDP: 14
    /*  6 */ [JUMP_EQUAL, 0, 10, 1], // ICMP, else drop
    /*  7 */ [LOAD_BYTE_INDEXED, 0, 0, 0],
    /*  8 */ [JUMP_EQUAL, 9, 0, 3], // destination unreachable: pass
    /*  9 */ [JUMP_EQUAL, 8, 0, 11], // time exceeded: pass
    /* 10 */ [JUMP_EQUAL, 7, 0, 12], // parameter problem: pass
    /* 11 */ [JUMP_EQUAL, 0, 5, 0], // echo reply, else drop
    /* 12 */ [LOAD_HALF_INDEXED, 0, 0, 4], // its identifier
    /* 13 */ [JUMP, 0, 0, 1],
    /* 14 */ [LOAD_HALF_INDEXED, 0, 0, 2], // destination port
    /* 15 */ [JUMP_GREATER_EQUAL, 0, 1, firstPort],
    /* 16 */ [JUMP_GREATER, 0, 1, lastPort],
    /* 17 */ [RETURN, 0, 0, 0],
    /* 18 */ [RETURN, 0, 0, WHOLE_PACKET],
  ];
}

/** Extension headers are seldom: packets that have one are left to the parser, all but later fragments. */
function ipv6Filter(firstPort: number, lastPort: number): readonly Instruction[] {
  return [
    /*  0 */ [LOAD_BYTE, 0, 0, 6],
    /*  1 */ [JUMP_EQUAL, 15, 0, 6], // TCP: 17
    /*  2 */ [JUMP_EQUAL, 14, 0, 17], // UDP: 17
    /*  3 */ [JUMP_EQUAL, 6, 0, 58], // ICMPv6: 10
    /*  4 */ [JUMP_EQUAL, 16, 0, 0], // hop-by-hop options: pass
    /*  5 */ [JUMP_EQUAL, 15, 0, 43], // routing: pass
    /*  6 */ [JUMP_EQUAL, 14, 0, 60], // destination options: pass
    /*  7 */ [JUMP_EQUAL, 0, 12, 44], // fragment, else drop
    /*  8 */ [LOAD_HALF, 0, 0, 42],
    /*  9 */ [JUMP_SET, 10, 11, 0xfff8], // a later one: drop
    /* 10 */ [LOAD_BYTE, 0, 0, 40],
    /* 11 */ [JUMP_EQUAL, 9, 0, 1], // destination unreachable: pass
    /* 12 */ [JUMP_EQUAL, 8, 0, 3], // time exceeded: pass
    /* 13 */ [JUMP_EQUAL, 7, 0, 4], // parameter problem: pass
    /* 14 */ [JUMP_EQUAL, 0, 5, 129], // echo reply, else drop
    /* 15 */ [LOAD_HALF, 0, 0, 44], // its identifier
    /* 16 */ [JUMP, 0, 0, 1],
    /* 17 */ [LOAD_HALF, 0, 0, 42], // destination port
    /* 18 */ [JUMP_GREATER_EQUAL, 0, 1, firstPort],
    /* 19 */ [JUMP_GREATER, 0, 1, lastPort],
    /* 20 */ [RETURN, 0, 0, 0],
    /* 21 */ [RETURN, 0, 0, WHOLE_PACKET],
  ];
}
