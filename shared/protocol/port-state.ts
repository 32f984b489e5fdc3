/** What a port may be said to be. Apart from the schemas, so that a scan from the terminal need not load them. */

/** SYN-ACK or another answer; RST or "port unreachable" from the host itself; nothing, or another ICMP error. */
export const PORT_STATES = ["open", "closed", "filtered"] as const;

export type PortState = (typeof PORT_STATES)[number];
