/** The block of a block lab: 65,536 addresses of each family, all alike, and what can be made worse about them. */

export const BLOCK = {
  network: "10.99.0.0/16",
  network6: "fd00:213:99::/112",
  addresses: 65_536,
  /** The link on the way to it. */
  scanner: "10.98.0.1",
  gateway: "10.98.0.2",
  scanner6: "fd00:213:98::1",
  gateway6: "fd00:213:98::2",
} as const;

/** The one open port of every address below 1,024; the others answer RST. */
export const OPEN_PORT = 22;

/** Open too, but for the full scan's range: a host with many services is nothing suspicious. */
export const MORE_OPEN_PORTS = { first: 8_001, last: 8_020 } as const;

/** The TCP port specification of a full scan: 64 ports, the open one among them. */
export const BLOCK_PORTS = { spec: "1-64", count: 64 } as const;

/** What is wrong with the network. Nothing by default. */
export interface BlockFaults {
  /** SYN segments of a hundred that get lost on their way there. */
  readonly probeLossPercent?: number;
  /** Answers of a hundred that get lost on their way back. */
  readonly replyLossPercent?: number;
  /** SYN segments a second that are let through; more are dropped. */
  readonly policedPps?: number;
  /** Addresses behind a SYN proxy: they answer SYN-ACK on every port. */
  readonly behindSynProxy?: readonly string[];
  /** Addresses that answer nothing at all, no ping, or neither ping nor SYN. */
  readonly silent?: readonly string[];
  readonly withoutPing?: readonly string[];
  readonly withoutPingAndSyn?: readonly string[];
  /** Every TCP and UDP packet is dropped as it arrives: what is measured then is sending alone. */
  readonly sink?: boolean;
}

/** Counters at the block's interface. */
export const BLOCK_COUNTERS = ["syns", "syns_lost", "syns_policed", "answers", "answers_lost"] as const;
export type BlockCounter = (typeof BLOCK_COUNTERS)[number];

const SYN = "tcp flags & (fin | syn | rst | ack) == syn";

/** The nftables rules of these faults, replacing whatever was there. Counters begin at zero. */
export function blockRuleset(interfaceName: string, faults: BlockFaults): string {
  const { probeLossPercent = 0, replyLossPercent = 0, policedPps, behindSynProxy = [] } = faults;
  const { silent = [], withoutPing = [], withoutPingAndSyn = [] } = faults;
  const arriving = [`${SYN} counter name syns`];
  if (faults.sink === true) arriving.push("meta protocol ip drop");
  if (probeLossPercent > 0) arriving.push(`${SYN} ${chance(probeLossPercent)} counter name syns_lost drop`);
  if (policedPps !== undefined) {
    // A burst of a tenth of a second: no more than a router's queue would take.
    const burst = Math.max(5, Math.round(policedPps / 10));
    arriving.push(
      `${SYN} limit rate over ${policedPps}/second burst ${burst} packets counter name syns_policed drop`,
    );
  }
  if (silent.length > 0) arriving.push(`ip daddr ${setOf(silent)} drop`);
  const noPing = [...withoutPing, ...withoutPingAndSyn];
  if (noPing.length > 0) arriving.push(`ip daddr ${setOf(noPing)} icmp type echo-request drop`);
  if (withoutPingAndSyn.length > 0) arriving.push(`ip daddr ${setOf(withoutPingAndSyn)} ${SYN} drop`);
  const leaving = ["meta l4proto tcp counter name answers"];
  if (replyLossPercent > 0) {
    leaving.push(`meta l4proto tcp ${chance(replyLossPercent)} counter name answers_lost drop`);
  }
  return [
    // Declared first, so that deleting it works the first time too.
    "table netdev block { }",
    "delete table netdev block",
    "table netdev block {",
    ...BLOCK_COUNTERS.map((name) => `counter ${name} { }`),
    `chain arriving { type filter hook ingress device ${interfaceName} priority 0;`,
    ...arriving,
    "}",
    `chain leaving { type filter hook egress device ${interfaceName} priority 0;`,
    ...leaving,
    "}",
    "}",
    "table ip proxied { }",
    "delete table ip proxied",
    ...(behindSynProxy.length > 0 ? synProxy(setOf(behindSynProxy)) : []),
    "",
  ].join("\n");
}

/** Connections are tracked for these addresses only: a table of them for a whole scan would overflow and drop. */
function synProxy(addresses: string): string[] {
  return [
    "table ip proxied {",
    "chain arriving { type filter hook prerouting priority -300;",
    `ip daddr != ${addresses} notrack`,
    `ip daddr ${addresses} tcp flags syn notrack`,
    "}",
    "chain leaving { type filter hook output priority -300;",
    `ip saddr != ${addresses} notrack`,
    "}",
    "chain input { type filter hook input priority 0;",
    `ip daddr ${addresses} tcp flags syn ct state invalid,untracked synproxy mss 1460 wscale 7 timestamp sack-perm`,
    "}",
    "}",
  ];
}

function chance(percent: number): string {
  return `numgen random mod 10000 < ${Math.round(percent * 100)}`;
}

function setOf(addresses: readonly string[]): string {
  return `{ ${addresses.join(", ")} }`;
}
