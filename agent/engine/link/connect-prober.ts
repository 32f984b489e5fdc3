/**
 * Probes by ordinary non-blocking connections, for hosts where raw packets are not allowed (connect(2), epoll(7)).
 * The kernel does the handshake, so an answer needs no cookie; a connection made is reset at once, not left behind.
 */

import { checked, errno, errnoName, libc, SystemCallError } from "../../ffi/libc.ts";
import {
  AF_INET,
  AF_INET6,
  EPOLL_CTL_ADD,
  EPOLLIN,
  EPOLLOUT,
  RLIMIT_NOFILE,
  SO_ERROR,
  SO_LINGER,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_SOCKET,
} from "../../ffi/constants.ts";
import { PinnedMemory } from "../../ffi/memory.ts";
import type { AnswerSink } from "../answers.ts";
import { addTo, PACKETS_RECEIVED } from "../control-block.ts";
import { TCP_SYN } from "../packet/probe-kind.ts";
import { type ReasonName, reasonCode } from "../packet/reason.ts";
import type { WorkerPlan } from "../plan.ts";
import type { AddressFamily, AddressWords } from "../targets/address-words.ts";
import { questionOfPort } from "../targets/questions.ts";
import { familyOfNumber, wordsOfNumber } from "../targets/space.ts";
import type { Prober } from "./prober.ts";
import {
  SOCKADDR_IN6_BYTES,
  SOCKADDR_IN_BYTES,
  writeSockaddrIn,
  writeSockaddrIn6,
} from "./socket-address.ts";

const MAX_IN_FLIGHT = 2_048;
/** A sender keeps a few places free; with no more than those it would never begin. Who has too few descriptors is told. */
const MIN_IN_FLIGHT = 16;
/** Left to the rest of the process. */
const SPARE_DESCRIPTORS = 128;
const EVENT_BYTES = process.arch === "x64" ? 12 : 16;
const MAX_EVENTS = 256;

/** What a failed connection says of the port. Anything else says nothing. */
const REASONS: Readonly<Record<string, ReasonName>> = {
  ECONNREFUSED: "reset",
  ECONNRESET: "reset",
  ENETUNREACH: "network-unreachable",
  EHOSTUNREACH: "host-unreachable",
  EHOSTDOWN: "host-unreachable",
};

/** The host has run out of something for now: the probe is not at fault. */
const EXHAUSTED = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EAGAIN", "EADDRNOTAVAIL"]);

interface Attempt {
  readonly fd: number;
  readonly addressNumber: number;
  readonly port: number;
  readonly deadlineMs: number;
}

export class ConnectProber implements Prober {
  private readonly plan: WorkerPlan;
  private readonly sink: AnswerSink;
  private readonly epoll: number;
  private readonly capacity: number;
  /** By descriptor, in the order of their deadlines. */
  private readonly attempts = new Map<number, Attempt>();
  private readonly name = new PinnedMemory(SOCKADDR_IN6_BYTES);
  private readonly ownName = new PinnedMemory(SOCKADDR_IN6_BYTES);
  /** The address being written, as the sixteen bytes that a name wants. */
  private readonly address = new DataView(new ArrayBuffer(16));
  private readonly event = new PinnedMemory(16);
  private readonly events = new PinnedMemory(MAX_EVENTS * EVENT_BYTES);
  private readonly option = new PinnedMemory(8);
  private readonly optionLength = new PinnedMemory(4);
  private started = 0;
  private refused = 0;
  private lastRefusal = "";

  constructor(plan: WorkerPlan, sink: AnswerSink) {
    this.plan = plan;
    this.sink = sink;
    this.epoll = checked(libc.epoll_create1(SOCK_CLOEXEC), "epoll_create1", "watching connections");
    this.capacity = Math.max(MIN_IN_FLIGHT, Math.min(MAX_IN_FLIGHT, descriptorLimit() - SPARE_DESCRIPTORS));
  }

  prepare(): void {
    // The kernel finds routes and neighbours by itself.
  }

  room(): number {
    if (this.attempts.size >= this.capacity) this.reap(0);
    return this.capacity - this.attempts.size;
  }

  /** Only for SYN probes: whoever asks for others is refused before the scan. */
  add(addressNumber: number, _kind: number, port: number): boolean {
    this.connect(addressNumber, port);
    return true;
  }

  addSyns(count: number, addressNumbers: Float64Array, ports: Uint16Array): number {
    for (let i = 0; i < count; i++) this.connect(addressNumbers[i] ?? 0, ports[i] ?? 0);
    return count;
  }

  flush(): number {
    const { started } = this;
    this.started = 0;
    this.reap(0);
    return started;
  }

  links(): readonly string[] {
    return ["connect"];
  }

  notes(): readonly string[] {
    return [];
  }

  refusals(): { readonly count: number; readonly reason: string } {
    return { count: this.refused, reason: this.lastRefusal };
  }

  pending(): number {
    return this.attempts.size;
  }

  idle(ms: number): void {
    // With nothing under way epoll would still sleep the whole time, which is what is wanted.
    this.reap(Math.max(1, Math.min(100, Math.ceil(ms))));
  }

  close(): void {
    for (const { fd } of this.attempts.values()) libc.close(fd);
    this.attempts.clear();
    libc.close(this.epoll);
  }

  private connect(addressNumber: number, port: number): void {
    const family = familyOfNumber(this.plan.space, addressNumber);
    const fd = libc.socket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      this.refuse(errnoName(errno()));
      return;
    }
    const nameBytes = this.writeName(family, wordsOfNumber(this.plan.space, addressNumber), port);
    const result = libc.connect(fd, this.name.address, nameBytes);
    const error = result === 0 ? "" : errnoName(errno());
    if (error === "EINPROGRESS") {
      this.started++;
      this.watch({ fd, addressNumber, port, deadlineMs: performance.now() + this.plan.portTimeoutMs });
      return;
    }
    const reason = error === "" ? this.reasonOfConnection({ fd, addressNumber, port }) : REASONS[error];
    if (reason === undefined) {
      this.refuse(error);
    } else {
      this.started++;
      this.answer(addressNumber, port, reason);
    }
    this.abort(fd);
  }

  /** Writes the target into `name`. Returns its length. */
  private writeName(family: AddressFamily, words: AddressWords, port: number): number {
    if (family === 4) {
      writeSockaddrIn(this.name.view, 0, words[3] >>> 0, port);
      return SOCKADDR_IN_BYTES;
    }
    words.forEach((word, i) => this.address.setInt32(i * 4, word));
    writeSockaddrIn6(this.name.view, 0, this.address, 0, port);
    return SOCKADDR_IN6_BYTES;
  }

  private watch(attempt: Attempt): void {
    this.attempts.set(attempt.fd, attempt);
    this.event.view.setUint32(0, EPOLLIN | EPOLLOUT, true);
    // epoll_data follows the 32-bit event mask, packed on x86-64 and aligned to eight bytes elsewhere.
    this.event.view.setInt32(EVENT_BYTES - 8, attempt.fd, true);
    checked(
      libc.epoll_ctl(this.epoll, EPOLL_CTL_ADD, attempt.fd, this.event.address),
      "epoll_ctl",
      "watching a connection",
    );
  }

  /** Takes in what was decided, waiting up to `timeoutMs` for the first, and gives up what is overdue. */
  private reap(timeoutMs: number): void {
    let count = this.takeDecided(timeoutMs);
    // All that is decided comes before giving up anything: after a pause both may be true of one connection.
    while (count === MAX_EVENTS || count < 0) count = this.takeDecided(0);
    const nowMs = performance.now();
    for (const attempt of this.attempts.values()) {
      if (attempt.deadlineMs > nowMs) break;
      this.forget(attempt);
    }
  }

  /**
   * Takes in what one `epoll_wait` gives. Returns how many, or -1 where a signal interrupted it.
   * @throws SystemCallError for any other failure, which would only come again
   */
  private takeDecided(timeoutMs: number): number {
    const count = libc.epoll_wait(this.epoll, this.events.address, MAX_EVENTS, timeoutMs);
    if (count < 0) {
      const error = errno();
      if (errnoName(error) === "EINTR") return -1;
      throw new SystemCallError("epoll_wait", error, "waiting for connections");
    }
    for (let i = 0; i < count; i++) {
      const attempt = this.attempts.get(this.events.view.getInt32(i * EVENT_BYTES + EVENT_BYTES - 8, true));
      if (attempt === undefined) continue;
      const error = this.socketError(attempt.fd);
      const reason = error === "" ? this.reasonOfConnection(attempt) : REASONS[error];
      if (reason !== undefined) this.answer(attempt.addressNumber, attempt.port, reason);
      this.forget(attempt);
    }
    return count;
  }

  /**
   * A connection to a port of our own host may have met itself: the kernel gave it the very port it calls, and two
   * SYNs that cross make a connection (RFC 9293, 3.5) where nobody listens. That says the port is closed.
   */
  private reasonOfConnection({
    fd,
    addressNumber,
    port,
  }: Pick<Attempt, "fd" | "addressNumber" | "port">): ReasonName {
    const { space } = this.plan;
    this.optionLength.view.setUint32(0, SOCKADDR_IN6_BYTES, true);
    const isKnown = libc.getsockname(fd, this.ownName.address, this.optionLength.address) === 0;
    if (!isKnown || this.ownName.view.getUint16(2) !== port) return "syn-ack";
    const nameBytes = this.writeName(
      familyOfNumber(space, addressNumber),
      wordsOfNumber(space, addressNumber),
      port,
    );
    const isOwn = this.name.bytes.subarray(0, nameBytes).every((byte, i) => byte === this.ownName.bytes[i]);
    return isOwn ? "reset" : "syn-ack";
  }

  private answer(addressNumber: number, port: number, reason: ReasonName): void {
    addTo(this.plan.control, PACKETS_RECEIVED, 1);
    const question = questionOfPort(this.plan.space.questions, TCP_SYN, port);
    if (question >= 0) this.sink.accept(addressNumber, question, reasonCode(reason), 0, 0);
  }

  private refuse(error: string): void {
    this.refused++;
    this.lastRefusal = error;
    // Give what is under way the time to end and free what ran out.
    if (EXHAUSTED.has(error)) this.reap(10);
  }

  /** Empty where the connection stands. */
  private socketError(fd: number): string {
    this.optionLength.view.setUint32(0, 4, true);
    this.option.view.setInt32(0, 0, true);
    libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, this.option.address, this.optionLength.address);
    const error = this.option.view.getInt32(0, true);
    return error === 0 ? "" : errnoName(error);
  }

  private forget(attempt: Attempt): void {
    this.attempts.delete(attempt.fd);
    this.abort(attempt.fd);
  }

  /** Closes with a reset: a lingering time of zero leaves nothing in TIME_WAIT, here or there. */
  private abort(fd: number): void {
    this.option.view.setInt32(0, 1, true);
    this.option.view.setInt32(4, 0, true);
    libc.setsockopt(fd, SOL_SOCKET, SO_LINGER, this.option.address, 8);
    libc.close(fd);
  }
}

/** How many descriptors this process may have open. */
function descriptorLimit(): number {
  const limits = new PinnedMemory(16);
  checked(libc.getrlimit(RLIMIT_NOFILE, limits.address), "getrlimit", "asking for the descriptor limit");
  return Number(limits.view.getBigUint64(0, true));
}
