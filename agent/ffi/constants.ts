/** Kernel constants, named as in the headers that the comments tell. Equal on x86-64 and arm64. */

// bits/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const MSG_DONTWAIT = 0x40;

// asm-generic/socket.h
export const SOL_SOCKET = 1;
export const SO_ERROR = 4;
export const SO_SNDBUF = 7;
export const SO_LINGER = 13;
export const SO_ATTACH_FILTER = 26;

// netinet/in.h
export const IPPROTO_RAW = 255;

// linux/if_ether.h, in host order; sockets want them through `htons`
export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;

// linux/if_packet.h
export const SOL_PACKET = 263;
export const PACKET_RX_RING = 5;
export const PACKET_STATISTICS = 6;
export const PACKET_VERSION = 10;
export const PACKET_QDISC_BYPASS = 20;
export const TPACKET_V3 = 2;
export const PACKET_OUTGOING = 4;
export const TP_STATUS_USER = 1;
export const TP_STATUS_KERNEL = 0;

// sys/poll.h, sys/epoll.h
export const POLLIN = 1;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLL_CTL_ADD = 1;

// sys/mman.h
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;

// sys/resource.h
export const RLIMIT_NOFILE = 7;

/** Network byte order of a 16-bit number, as the little-endian host must write it into an integer argument. */
export function htons(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}
