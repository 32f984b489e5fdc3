/**
 * Recognises hosts that answer SYN-ACK on every port: SYN proxies, tarpits, some firewalls. Pure: time comes in.
 *
 * A host with many open ports, or with all that were asked, is sent canaries: probes to ports chosen at random, of which
 * an ordinary host has next to none open. While the answers are awaited its further open ports are held back. When the
 * canaries are answered too, the host is marked and what is held is only counted.
 */

/** Open ports of one host before canaries are sent. */
const SUSPECT_AFTER = 8;
export const CANARIES = 3;
/** So many open canaries convict; one may be lost, and one port of thirty thousand may really be open. */
const CONVICT_AFTER = 2;
/** Hosts that are watched at most, so that memory stays bounded; the others are not checked, and counted. */
const MAX_HOSTS = 100_000;
/** Held records at most; beyond, they are let through. */
const MAX_HELD = 200_000;

type Verdict = "unknown" | "asked" | "ordinary" | "proxy";

interface Host<T> {
  open: number;
  verdict: Verdict;
  /** Of its canaries; undefined while the queue had no room for them. */
  ticket: number | undefined;
  /** Until when their answers may come; undefined until they are sent. */
  deadlineMs: number | undefined;
  /** Ports of canaries that were answered with SYN-ACK, and of those that were refused. */
  canariesOpen: Set<number>;
  canariesClosed: Set<number>;
  held: T[];
}

/** The way canaries go out: at the scan's own rate, so it may take a while. */
export interface CanarySender {
  /** @returns a ticket, or undefined when it must be asked again later */
  request(addressNumber: number): number | undefined;
  isSent(ticket: number): boolean;
}

/** The hosts of one verdict round: what may be listed after all, and who answers on everything. */
export interface Verdicts<T> {
  readonly released: readonly T[];
  readonly convicted: readonly number[];
}

export class CanaryWatch<T> {
  private readonly hosts = new Map<number, Host<T>>();
  /** Hosts whose canaries are asked for or under way. */
  private readonly asked = new Map<number, Host<T>>();
  private readonly suspectAfter: number;
  private readonly timeoutMs: number;
  private readonly canaries: CanarySender;
  private heldCount = 0;
  /** Open ports that are not listed, because their host answers on everything. */
  withheld = 0;
  /** Open ports of hosts that were too many to be watched. */
  unwatched = 0;
  convictedHosts = 0;

  /**
   * @param tcpPorts ports asked of each address
   * @param timeoutMs how long the answer of a canary may take
   */
  constructor(tcpPorts: number, timeoutMs: number, canaries: CanarySender) {
    this.suspectAfter = Math.min(SUSPECT_AFTER, Math.max(1, tcpPorts));
    this.timeoutMs = timeoutMs;
    this.canaries = canaries;
  }

  /** An open TCP port was found. True when it may be listed now; else it is held, or withheld. */
  open(addressNumber: number, record: T): boolean {
    const host = this.hosts.get(addressNumber) ?? this.watch(addressNumber);
    if (host === undefined) return true;
    host.open++;
    if (host.verdict === "proxy") {
      this.withheld++;
      return false;
    }
    if (host.verdict === "asked" && this.heldCount < MAX_HELD) {
      host.held.push(record);
      this.heldCount++;
      return false;
    }
    if (host.verdict === "unknown" && host.open >= this.suspectAfter) {
      host.verdict = "asked";
      this.asked.set(addressNumber, host);
    }
    return true;
  }

  /** A canary was answered: with SYN-ACK, or with RST or an error. */
  canaryAnswered(addressNumber: number, port: number, isOpen: boolean): void {
    const host = this.asked.get(addressNumber);
    (isOpen ? host?.canariesOpen : host?.canariesClosed)?.add(port);
  }

  /** Asks for canaries, and decides what can be decided. `final` decides everything: nothing more will come. */
  decide(nowMs: number, final: boolean): Verdicts<T> {
    const released: T[] = [];
    const convicted: number[] = [];
    for (const [addressNumber, host] of this.asked) {
      const isProxy = host.canariesOpen.size >= CONVICT_AFTER;
      // With so many refused, those that are left cannot convict: no need to wait for them.
      const isAcquitted = host.canariesClosed.size > CANARIES - CONVICT_AFTER;
      const isOpenCase = !isProxy && !isAcquitted && !final;
      if (isOpenCase && !this.isOverdue(addressNumber, host, nowMs)) continue;
      this.asked.delete(addressNumber);
      this.heldCount -= host.held.length;
      if (isProxy) {
        host.verdict = "proxy";
        this.withheld += host.held.length;
        this.convictedHosts++;
        convicted.push(addressNumber);
      } else {
        host.verdict = "ordinary";
        released.push(...host.held);
      }
      host.held = [];
    }
    return { released, convicted };
  }

  /** Whether answers to canaries are awaited. */
  isWaiting(): boolean {
    return this.asked.size > 0;
  }

  private isOverdue(addressNumber: number, host: Host<T>, nowMs: number): boolean {
    host.ticket ??= this.canaries.request(addressNumber);
    if (host.deadlineMs === undefined && host.ticket !== undefined && this.canaries.isSent(host.ticket)) {
      host.deadlineMs = nowMs + this.timeoutMs;
    }
    return host.deadlineMs !== undefined && host.deadlineMs <= nowMs;
  }

  private watch(addressNumber: number): Host<T> | undefined {
    if (this.hosts.size >= MAX_HOSTS) {
      this.unwatched++;
      return undefined;
    }
    const host: Host<T> = {
      open: 0,
      verdict: "unknown",
      ticket: undefined,
      deadlineMs: undefined,
      canariesOpen: new Set(),
      canariesClosed: new Set(),
      held: [],
    };
    this.hosts.set(addressNumber, host);
    return host;
  }
}
