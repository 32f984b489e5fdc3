/** The hosts of the lab: what every port of each answers. Tests and the quick start compare with this. */

export interface LabHost {
  readonly address: string;
  readonly what: string;
  readonly open: readonly number[];
  /** Ports that answer nothing, on a host that otherwise answers. */
  readonly dropped: readonly number[];
  /** What the other ports do: answer RST, answer an ICMP error, or nothing. */
  readonly others: "reset" | "reject" | "drop";
}

export const LAB_LINK = { network: "10.213.7.0/24", scanner: "10.213.7.1", prefix: 24 } as const;

export const LAB_HOSTS: readonly LabHost[] = [
  { address: "10.213.7.10", what: "server", open: [22, 80, 443], dropped: [25], others: "reset" },
  { address: "10.213.7.11", what: "database", open: [22, 543, 999], dropped: [], others: "reset" },
  { address: "10.213.7.20", what: "firewall that rejects", open: [53], dropped: [], others: "reject" },
  { address: "10.213.7.30", what: "firewall that drops", open: [], dropped: [], others: "drop" },
  { address: "10.213.7.40", what: "host without services", open: [], dropped: [], others: "reset" },
];

/** Counts the SYN packets that reach the lab, whatever becomes of them. */
export const SYN_COUNTER = "syn";

/** The nftables rules that make the hosts answer as they do. */
export function ruleset(): string {
  const rules = LAB_HOSTS.flatMap(({ address, open, dropped, others }) => {
    const lines: string[] = [];
    if (dropped.length > 0) lines.push(`ip daddr ${address} tcp dport { ${dropped.join(", ")} } drop`);
    if (open.length > 0) lines.push(`ip daddr ${address} tcp dport { ${open.join(", ")} } accept`);
    if (others === "drop") lines.push(`ip daddr ${address} ip protocol tcp drop`);
    if (others === "reject") {
      lines.push(`ip daddr ${address} ip protocol tcp reject with icmp type admin-prohibited`);
    }
    return lines;
  });
  return [
    "table ip lab {",
    `counter ${SYN_COUNTER} { }`,
    "chain arrivals { type filter hook prerouting priority -300;",
    `tcp flags & (syn | ack) == syn counter name ${SYN_COUNTER}`,
    "}",
    "chain input { type filter hook input priority 0;",
    ...rules,
    "}",
    "}",
    "",
  ].join("\n");
}
