/**
 * Carries packets between a tun device in this namespace and one in the namespace named on the command line, until it is
 * ended. Layouts and numbers from linux/if_tun.h and sched.h.
 */

import { dlopen, ptr } from "bun:ffi";
import { writeSync } from "node:fs";
import { READY } from "./answering.ts";
import { TUNNEL } from "./tunnel.ts";

const O_RDWR = 2;
const CLONE_NEWNET = 0x4000_0000;
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN_NO_PI = 0x1001;
const IFREQ_BYTES = 40;
const POLLIN = 1;
const PACKET_BYTES = 65_536;

const { symbols: libc } = dlopen("libc.so.6", {
  open: { args: ["ptr", "i32"], returns: "i32" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
  setns: { args: ["i32", "i32"], returns: "i32" },
  poll: { args: ["ptr", "usize", "i32"], returns: "i32" },
  read: { args: ["i32", "ptr", "usize"], returns: "i64" },
  write: { args: ["i32", "ptr", "usize"], returns: "i64" },
});

const other = process.argv[2] ?? "";
const here = openTun();
checked(libc.setns(openFile(`/run/netns/${other}`), CLONE_NEWNET), "entering the other namespace");
carry(here, openTun());

function openTun(): number {
  const fd = openFile("/dev/net/tun");
  const request = new Uint8Array(new ArrayBuffer(IFREQ_BYTES));
  request.set(new TextEncoder().encode(TUNNEL.interfaceName));
  new DataView(request.buffer).setUint16(16, IFF_TUN_NO_PI, true);
  checked(libc.ioctl(fd, TUNSETIFF, ptr(request.buffer)), "making the device");
  return fd;
}

function openFile(path: string): number {
  const text = new Uint8Array(new ArrayBuffer(path.length + 1));
  text.set(new TextEncoder().encode(path));
  return checked(libc.open(ptr(text.buffer), O_RDWR * Number(path.startsWith("/dev/"))), `opening ${path}`);
}

/** For ever. A packet that the other side does not take is lost, as on any network. */
function carry(first: number, second: number): never {
  const polled = new DataView(new ArrayBuffer(16));
  polled.setInt32(0, first, true);
  polled.setInt16(4, POLLIN, true);
  polled.setInt32(8, second, true);
  polled.setInt16(12, POLLIN, true);
  const packet = ptr(new ArrayBuffer(PACKET_BYTES));
  writeSync(1, READY);
  for (;;) {
    if (libc.poll(ptr(polled.buffer), 2, -1) <= 0) continue;
    for (const [at, from, to] of [
      [6, first, second],
      [14, second, first],
    ] as const) {
      if (polled.getInt16(at, true) === 0) continue;
      const length = Number(libc.read(from, packet, PACKET_BYTES));
      if (length > 0) libc.write(to, packet, length);
    }
  }
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what} failed`);
  return result;
}
