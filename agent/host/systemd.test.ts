/** Notifications through a real datagram socket, as a service manager would hold it. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AF_UNIX, MSG_DONTWAIT, SOCK_CLOEXEC, SOCK_DGRAM } from "../ffi/constants.ts";
import { checked, libc } from "../ffi/libc.ts";
import { PinnedMemory } from "../ffi/memory.ts";
import { notifySystemd } from "./systemd.ts";

let folder = "";
let manager: Manager | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-notify-"));
});

afterEach(() => {
  manager?.close();
  manager = undefined;
  rmSync(folder, { recursive: true, force: true });
});

/** The other end: a bound socket, and what has arrived in it. */
class Manager {
  private readonly fd: number;
  private readonly memory = new PinnedMemory(256);

  /** @param name of the socket; a leading zero byte means the abstract namespace */
  constructor(name: string) {
    const bytes = new TextEncoder().encode(name);
    const address = new PinnedMemory(2 + bytes.length);
    address.view.setUint16(0, AF_UNIX, true);
    address.bytes.set(bytes, 2);
    this.fd = checked(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket", "making a socket");
    checked(libc.bind(this.fd, address.address, 2 + bytes.length), "bind", "listening for notifications");
  }

  /** Datagrams that have arrived. On one host they arrive before the sender goes on. */
  received(): string[] {
    const texts: string[] = [];
    for (;;) {
      const length = libc.recv(this.fd, this.memory.address, this.memory.bytes.length, MSG_DONTWAIT);
      if (length < 0) return texts;
      texts.push(new TextDecoder().decode(this.memory.bytes.slice(0, length)));
    }
  }

  close(): void {
    libc.close(this.fd);
  }
}

describe("notifySystemd", () => {
  test("says what it is told to, as one datagram each", () => {
    const path = join(folder, "notify");
    manager = new Manager(path);
    notifySystemd(path, "READY=1");
    notifySystemd(path, "STATUS=scanning\nWATCHDOG=1");
    notifySystemd(path, "STOPPING=1");
    expect(manager.received()).toEqual(["READY=1", "STATUS=scanning\nWATCHDOG=1", "STOPPING=1"]);
  });

  test("finds a socket in the abstract namespace", () => {
    const name = `portolan-test-${crypto.randomUUID()}`;
    manager = new Manager(`\0${name}`);
    notifySystemd(`@${name}`, "READY=1");
    expect(manager.received()).toEqual(["READY=1"]);
  });

  test("without a manager, or with one that is gone, nothing happens", () => {
    for (const path of [undefined, "", join(folder, "nobody"), `/${"x".repeat(200)}`, "@nobody"]) {
      expect(() => notifySystemd(path, "READY=1")).not.toThrow();
    }
  });
});
