/** Kernel constants, named as in the headers that the comments tell. Equal on x86-64 and arm64. */

// bits/socket.h
export const AF_UNIX = 1;
export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const AF_XDP = 44;
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
export const SO_RCVBUF = 8;
export const SO_LINGER = 13;
export const SO_BINDTODEVICE = 25;
export const SO_ATTACH_FILTER = 26;

// netinet/in.h
export const IPPROTO_RAW = 255;

// linux/in6.h
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
export const IPV6_HDRINCL = 36;

// linux/if_ether.h, in host order; sockets want them through `htons`
export const ETH_P_ALL = 0x0003;
export const ETH_P_IP = 0x0800;
export const ETH_P_ARP = 0x0806;
export const ETH_P_IPV6 = 0x86dd;

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

// linux/if_xdp.h
export const SOL_XDP = 283;
export const XDP_MMAP_OFFSETS = 1;
export const XDP_TX_RING = 3;
export const XDP_UMEM_REG = 4;
export const XDP_UMEM_FILL_RING = 5;
export const XDP_UMEM_COMPLETION_RING = 6;
export const XDP_MAX_TX_SKB_BUDGET = 9;
export const XDP_COPY = 1 << 1;
export const XDP_USE_NEED_WAKEUP = 1 << 3;
export const XDP_PGOFF_TX_RING = 0x8000_0000;
export const XDP_UMEM_PGOFF_COMPLETION_RING = 0x1_8000_0000;

// sys/poll.h, sys/epoll.h
export const POLLIN = 1;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLL_CTL_ADD = 1;

// sys/mman.h
export const PROT_READ = 1;
export const PROT_WRITE = 2;
export const MAP_SHARED = 1;
export const MAP_PRIVATE = 2;
export const MAP_ANONYMOUS = 0x20;
export const MAP_POPULATE = 0x8000;

// sys/resource.h
export const RLIMIT_NOFILE = 7;

/** Network byte order of a 16-bit number, as the little-endian host must write it into an integer argument. */
export function htons(value: number): number {
  return ((value & 0xff) << 8) | ((value >>> 8) & 0xff);
}
