/**
 * The C library calls that the engine and the host facts need, and nothing more. The only `dlopen` of the agent.
 * Linux with glibc, 64-bit (x86-64 and arm64 share every layout and constant used).
 * Numbers are chosen as i32 wherever they fit: an i64 result costs a BigInt on the hot path.
 */

import { dlopen } from "bun:ffi";
import { PortolanError } from "#shared/errors.ts";
import { readInt32 } from "./memory.ts";

const library = dlopen("libc.so.6", {
  __errno_location: { args: [], returns: "ptr" },
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  bind: { args: ["i32", "ptr", "u32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  sendto: { args: ["i32", "ptr", "usize", "i32", "ptr", "u32"], returns: "i32" },
  sendmmsg: { args: ["i32", "ptr", "u32", "i32"], returns: "i32" },
  recv: { args: ["i32", "ptr", "usize", "i32"], returns: "i32" },
  recvfrom: { args: ["i32", "ptr", "usize", "i32", "ptr", "ptr"], returns: "i32" },
  poll: { args: ["ptr", "usize", "i32"], returns: "i32" },
  epoll_create1: { args: ["i32"], returns: "i32" },
  epoll_ctl: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
  epoll_wait: { args: ["i32", "ptr", "i32", "i32"], returns: "i32" },
  mmap: { args: ["ptr", "usize", "i32", "i32", "i32", "i64"], returns: "ptr" },
  munmap: { args: ["ptr", "usize"], returns: "i32" },
  getrlimit: { args: ["i32", "ptr"], returns: "i32" },
  geteuid: { args: [], returns: "u32" },
});

export const libc = library.symbols;

const errnoLocation = libc.__errno_location;

/** `errno` of the calling thread. Read it right after the call that failed, before anything else. */
export function errno(): number {
  const location = errnoLocation();
  return location === null ? 0 : readInt32(location);
}

/** Names of the errors that are handled by name somewhere, and those users meet most (asm-generic/errno.h). */
const ERRNO_NAMES: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  4: "EINTR",
  6: "ENXIO",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  16: "EBUSY",
  19: "ENODEV",
  22: "EINVAL",
  24: "EMFILE",
  90: "EMSGSIZE",
  95: "EOPNOTSUPP",
  94: "ESOCKTNOSUPPORT",
  97: "EAFNOSUPPORT",
  98: "EADDRINUSE",
  99: "EADDRNOTAVAIL",
  100: "ENETDOWN",
  101: "ENETUNREACH",
  103: "ECONNABORTED",
  104: "ECONNRESET",
  105: "ENOBUFS",
  110: "ETIMEDOUT",
  111: "ECONNREFUSED",
  112: "EHOSTDOWN",
  113: "EHOSTUNREACH",
  115: "EINPROGRESS",
};

export function errnoName(number: number): string {
  return ERRNO_NAMES[number] ?? `errno ${number}`;
}

/** A system call that failed where it should not have. */
export class SystemCallError extends PortolanError {
  override readonly name = "SystemCallError";
  readonly errno: string;

  constructor(call: string, number: number, purpose: string) {
    super("SYSTEM_CALL_FAILED", `${purpose}: ${call} failed with ${errnoName(number)}`);
    this.errno = errnoName(number);
  }
}

/** Passes a result of zero or more through, throws on -1. `purpose` says what was being done, for people. */
export function checked(result: number, call: string, purpose: string): number {
  if (result < 0) throw new SystemCallError(call, errno(), purpose);
  return result;
}
