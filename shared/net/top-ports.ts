/**
 * The N ports most worth asking first. The order is Portolan's own and rests on nobody's survey: first services that
 * are commonly found open, ranked by hand, the web and remote access before databases, databases before oddities; then
 * the system ports that IANA has assigned (1-1023), then its other registered ports, then the rest, each ascending.
 */

import { UsageError } from "../errors.ts";
import { MAX_PORT, type PortSet } from "./port-spec.ts";
import { normalizeRanges } from "./ranges.ts";
import { registeredPorts } from "./service-names.ts";

type Protocol = keyof PortSet;

const LAST_SYSTEM_PORT = 1_023;

/** One list a kind of service; within each, and from list to list, the commoner first. */
const COMMON: Readonly<Record<Protocol, readonly (readonly number[])[]>> = {
  tcp: [
    // Web, remote access, mail, names and files: what most hosts that answer at all answer on.
    [80, 443, 22, 3389, 445, 25, 53, 21, 139, 135, 8080, 23, 110, 143, 993, 995, 587, 3306, 8443, 111],
    // The next that an administrator would name.
    [5900, 1433, 5432, 465, 8000, 8888, 389, 2049, 636, 88, 1723, 5060, 8081, 6379, 27017, 9200, 5985, 9100],
    // Web servers that moved, and panels.
    [
      3000, 5000, 3128, 8008, 9000, 9090, 81, 10000, 8090, 8082, 8083, 4443, 9443, 2082, 2083, 2086, 2087,
      8880, 7443,
    ],
    [
      82, 8001, 8009, 8089, 8181, 8444, 7001, 7002, 9080, 9091, 4848, 3001, 5001, 5601, 8010, 8060, 8085,
      8088,
    ],
    // Windows and directories.
    [
      5986, 49152, 49153, 49154, 49155, 49156, 49157, 593, 3268, 3269, 464, 5357, 1801, 2103, 2105, 2107,
      47001,
    ],
    // Databases, caches and queues.
    [
      1521, 11211, 5672, 15672, 1883, 8883, 9042, 5984, 2181, 9092, 7474, 7687, 8086, 50000, 1434, 3050,
      61616,
    ],
    [
      27018, 27019, 9300, 6380, 26379, 4369, 5671, 61613, 8529, 28015, 5433, 33060, 2483, 2484, 9160, 7000,
      8087,
    ],
    // Clusters and what runs on them.
    [6443, 2375, 2376, 10250, 10255, 2379, 2380, 30000, 8500, 8300, 8301, 4646, 8200, 4194, 9093, 8472],
    // Remote desktops, other shells, tunnels and proxies.
    [5901, 5902, 5800, 2222, 22222, 1194, 1080, 5938, 6000, 6001, 4899, 512, 513, 514, 992, 2022, 10022],
    // Mail, names, time and news beside the usual doors.
    [853, 4190, 109, 119, 563, 37, 13, 123, 42, 79, 113, 106, 990, 989, 2525, 1110, 24, 366],
    // Files, printers, backup and storage.
    [548, 873, 515, 631, 3260, 20, 115, 427, 860, 2020, 6556, 13720, 13782, 10080, 24800, 3689],
    // Voice, cameras and things.
    [
      554, 5061, 1720, 2000, 8554, 1935, 37777, 34567, 9527, 5555, 7547, 4567, 502, 102, 20000, 44818, 47808,
      1911,
    ],
    // Monitoring, management and printing of state.
    [
      161, 199, 10050, 10051, 5666, 4949, 8649, 2003, 623, 1099, 9010, 1090, 4444, 8686, 9999, 16992, 16993,
      17000,
    ],
    // Small services of old, and ports that trouble likes.
    [7, 9, 17, 19, 70, 179, 264, 500, 1024, 1025, 1026, 1027, 1028, 1029, 1030, 1337, 31337, 6667],
    // Development, games and chat.
    [
      4000, 4200, 5173, 8787, 9229, 3690, 9418, 6697, 5222, 5269, 5223, 25565, 27015, 64738, 8333, 30303,
      18080, 8545,
    ],
  ],
  udp: [
    // What most networks have: names, time, addresses, management.
    [53, 161, 123, 137, 67, 500, 1900, 5353, 138, 69, 514, 4500, 68, 111, 443, 1194, 5060, 389],
    // Directories, files, voice, tunnels.
    [88, 162, 520, 1701, 2049, 51820, 3478, 1434, 1812, 1813, 5355, 3702, 623, 631, 464, 445, 135, 139],
    // Caches, games, things and controllers.
    [
      11211, 5683, 5684, 47808, 1604, 3283, 27015, 10001, 32412, 32414, 20000, 44818, 37810, 3389, 5351, 6881,
      1645, 1646,
    ],
    // Small services of old, and neighbours of the above.
    [
      7, 9, 13, 17, 19, 37, 49, 177, 427, 496, 517, 518, 626, 853, 1718, 1719, 2222, 4789, 8472, 6343, 2055,
      9995,
    ],
  ],
};

/**
 * The `count` ports asked first.
 * @throws UsageError INVALID_PORT when count is no whole number from 1 to 65,535
 */
export function topPorts(count: number, protocol: Protocol = "tcp"): PortSet {
  if (!(Number.isInteger(count) && count >= 1 && count <= MAX_PORT)) {
    throw new UsageError("INVALID_PORT", `there are from 1 to ${MAX_PORT} top ports, not ${count}`);
  }
  const chosen = rankedPorts(protocol).slice(0, count);
  const none: PortSet = { tcp: [], udp: [] };
  return { ...none, [protocol]: normalizeRanges(chosen.map((port) => ({ first: port, last: port }))) };
}

/** All 65,535 ports, the one to ask first at the head. */
export function rankedPorts(protocol: Protocol): number[] {
  const registered = registeredPorts(protocol);
  const ranked = new Set([
    ...COMMON[protocol].flat(),
    ...registered.filter((port) => port <= LAST_SYSTEM_PORT),
    ...registered.filter((port) => port > LAST_SYSTEM_PORT),
    ...Array.from({ length: MAX_PORT }, (_, i) => i + 1),
  ]);
  ranked.delete(0);
  return [...ranked];
}
