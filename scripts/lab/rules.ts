/** The nftables rules that make the lab's hosts answer as hosts.ts says. */

import { LAB_HOSTS } from "./hosts.ts";

/** Counts the SYN packets that reach the lab, whatever becomes of them. */
export const SYN_COUNTER = "syn";
export const LAB_TABLE = ["inet", "lab"] as const;

export function ruleset(): string {
  const rules: string[] = [];
  for (const host of LAB_HOSTS) {
    for (const to of [`ip daddr ${host.address}`, `ip6 daddr ${host.address6}`]) {
      rules.push(
        ...verdict(to, "tcp", host.dropped, "drop"),
        ...verdict(to, "udp", host.udpDropped, "drop"),
        ...verdict(to, "tcp", host.open, "accept"),
        ...verdict(to, "udp", host.udpOpen, "accept"),
      );
      // Only these: a host that answers no ARP and no neighbour discovery would be no host at all.
      if (host.others === "drop") rules.push(`${to} meta l4proto { tcp, udp } drop`);
      if (host.others === "reject") {
        rules.push(`${to} meta l4proto { tcp, udp } reject with icmpx type admin-prohibited`);
      }
    }
  }
  return [
    `table ${LAB_TABLE.join(" ")} {`,
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

function verdict(
  to: string,
  protocol: "tcp" | "udp",
  ports: readonly number[],
  what: "accept" | "drop",
): string[] {
  return ports.length === 0 ? [] : [`${to} ${protocol} dport { ${ports.join(", ")} } ${what}`];
}
