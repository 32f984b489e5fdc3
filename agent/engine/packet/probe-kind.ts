/**
 * The kinds of probe that the engine sends as packets of its own. Numbers, because they travel in shared memory.
 *
 * Every probe carries a cookie: a keyed hash of target, source and `ports` = target port × 2¹⁶ + our port. An answer is
 * genuine when it brings the cookie back. Our port also tells the pass in which the probe was sent.
 *
 * | kind | ports | where the cookie is | what brings it back |
 * | --- | --- | --- | --- |
 * | TCP_SYN | target port, our port | sequence number | SYN-ACK and RST-ACK acknowledge cookie + 1; ICMP errors quote it |
 * | TCP_ACK | target port, our port | acknowledgement and sequence number | RST without ACK has it as sequence; ICMP errors quote it |
 * | UDP | target port, our port | IPv4 identification (low 16 bits, 1 for 0) or IPv6 flow label (low 20 bits); the payload where its protocol echoes something | ICMP errors quote it; payload checks |
 * | ICMP_ECHO | 0, identifier | first four bytes of the data; its low 16 bits are the echo sequence | the echo reply repeats both |
 *
 * The IPv4 identification of every kind is the low 16 bits of the cookie, or 1 where those are 0.
 */

export const TCP_SYN = 0;
export const TCP_ACK = 1;
export const UDP = 2;
export const ICMP_ECHO = 3;
export const PROBE_KINDS = 4;

export type ProbeKind = typeof TCP_SYN | typeof TCP_ACK | typeof UDP | typeof ICMP_ECHO;
