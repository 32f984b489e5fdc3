/** Tells systemd how the service is (sd_notify(3)): a datagram to the socket that NOTIFY_SOCKET names. */

import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM } from "../ffi/constants.ts";
import { libc } from "../ffi/libc.ts";
import { PinnedMemory } from "../ffi/memory.ts";

// struct sockaddr_un (sys/un.h)
const PATH_AT = 2;
const PATH_BYTES = 108;

/**
 * Best effort: a service manager that does not listen changes nothing for us.
 * @param socketPath value of NOTIFY_SOCKET, or undefined where nothing manages us
 * @param state e.g. `READY=1`
 */
export function notifySystemd(socketPath: string | undefined, state: string): void {
  if (socketPath === undefined || socketPath === "") return;
  const path = new TextEncoder().encode(socketPath);
  if (path.length >= PATH_BYTES) return;
  const name = new PinnedMemory(PATH_AT + PATH_BYTES);
  name.view.setUint16(0, AF_UNIX, true);
  name.bytes.set(path, PATH_AT);
  // A leading @ stands for the abstract namespace, whose names begin with a zero byte.
  if (socketPath.startsWith("@")) name.bytes[PATH_AT] = 0;
  const message = new TextEncoder().encode(state);
  const body = new PinnedMemory(message.length);
  body.bytes.set(message);
  const fd = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  libc.sendto(fd, body.address, message.length, 0, name.address, PATH_AT + path.length);
  libc.close(fd);
}
