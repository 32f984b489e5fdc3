/**
 * Conversations with the kernel over rtnetlink (RFC 3549, linux/netlink.h): a request, and the messages that answer it.
 * What is asked, and what the answers mean, is said in `netlink.ts`.
 */

import { AF_NETLINK, SOCK_CLOEXEC, SOCK_RAW } from "../../ffi/constants.ts";
import { checked, errnoName, libc } from "../../ffi/libc.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import { PortolanError } from "#shared/errors.ts";

const NLM_F_REQUEST = 1;
const NLM_F_MULTI = 2;
const NLM_F_DUMP = 0x300;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** Nesting and byte-order flags share the field with an attribute's type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const RECEIVE_BYTES = 64 * 1024;

/** Gets a message's type and where its body lies. The view is used again afterwards: copy what is kept. */
export type MessageReader = (type: number, view: DataView, from: number, to: number) => void;

/** One conversation at a time. Close it after use. */
export class NetlinkSocket {
  private readonly fd: number;
  private readonly memory = new PinnedMemory(RECEIVE_BYTES);
  private sequence = 0;

  constructor() {
    this.fd = checked(libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0), "socket", "opening rtnetlink");
  }

  close(): void {
    libc.close(this.fd);
  }

  /** Asks for everything of a kind. */
  dump(type: number, body: Uint8Array, read: MessageReader): void {
    const refusal = this.converse(type, NLM_F_DUMP, body, read);
    if (refusal !== undefined) {
      throw new PortolanError("NETLINK_BROKEN", `rtnetlink refused to list its tables: ${refusal}`);
    }
  }

  /** Asks for one thing. Returns the name of the error that the kernel answered with, or undefined. */
  ask(type: number, body: Uint8Array, read: MessageReader): string | undefined {
    return this.converse(type, 0, body, read);
  }

  private converse(type: number, flags: number, body: Uint8Array, read: MessageReader): string | undefined {
    const { view, bytes, address } = this.memory;
    const sequence = ++this.sequence;
    const length = HEADER_BYTES + body.length;
    bytes.fill(0, 0, HEADER_BYTES);
    view.setUint32(0, length, true);
    view.setUint16(4, type, true);
    view.setUint16(6, NLM_F_REQUEST | flags, true);
    view.setUint32(8, sequence, true);
    bytes.set(body, HEADER_BYTES);
    checked(libc.sendto(this.fd, address, length, 0, null, 0), "sendto", "asking rtnetlink");

    for (;;) {
      const received = checked(libc.recv(this.fd, address, RECEIVE_BYTES, 0), "recv", "reading rtnetlink");
      let at = 0;
      let more = false;
      while (at + HEADER_BYTES <= received) {
        const messageBytes = view.getUint32(at, true);
        if (messageBytes < HEADER_BYTES || at + messageBytes > received) {
          throw new PortolanError("NETLINK_BROKEN", "rtnetlink sent a message that does not fit its frame");
        }
        const messageType = view.getUint16(at + 4, true);
        if (view.getUint32(at + 8, true) === sequence) {
          if (messageType === NLMSG_DONE) return undefined;
          if (messageType === NLMSG_ERROR) return errorOf(view.getInt32(at + HEADER_BYTES, true));
          more ||= (view.getUint16(at + 6, true) & NLM_F_MULTI) !== 0;
          read(messageType, view, at + HEADER_BYTES, at + messageBytes);
        }
        at += (messageBytes + 3) & ~3;
      }
      if (!more) return undefined;
    }
  }
}

/** Errors come as negative numbers; 0 is an acknowledgement. */
function errorOf(code: number): string | undefined {
  return code === 0 ? undefined : errnoName(-code);
}

/**
 * Where the value of an attribute begins, or -1 where there is none of at least `minBytes`.
 * Attributes follow a message's fixed part: 16-bit length and type, then the value, each padded to four bytes.
 */
export function attributeAt(
  view: DataView,
  from: number,
  to: number,
  type: number,
  minBytes: number,
): number {
  let at = from;
  while (at + ATTRIBUTE_HEADER_BYTES <= to) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > to) return -1;
    if ((view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK) === type) {
      return length - ATTRIBUTE_HEADER_BYTES < minBytes ? -1 : at + ATTRIBUTE_HEADER_BYTES;
    }
    at += (length + 3) & ~3;
  }
  return -1;
}

/** A copy of the value that begins at `at`, as `attributeAt` gave it. */
export function attributeBytes(view: DataView, at: number): Uint8Array {
  const length = view.getUint16(at - ATTRIBUTE_HEADER_BYTES, true) - ATTRIBUTE_HEADER_BYTES;
  return new Uint8Array(view.buffer, view.byteOffset + at, length).slice();
}

/** Writes an attribute at `at`, which is a multiple of four, and returns where the next one goes. */
export function writeAttribute(bytes: Uint8Array, at: number, type: number, value: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint16(at, ATTRIBUTE_HEADER_BYTES + value.length, true);
  view.setUint16(at + 2, type, true);
  bytes.set(value, at + ATTRIBUTE_HEADER_BYTES);
  return at + ((ATTRIBUTE_HEADER_BYTES + value.length + 3) & ~3);
}
