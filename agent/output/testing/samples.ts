/** A small run that has one of everything, and texts that try to break out of where they are written. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { type FormatName, newReportWriter } from "../formats.ts";
import type { RunDescription } from "../report-writer.ts";

const AT = "2026-01-27T10:30:00.000Z";

export const RUN: RunDescription = {
  version: "1.2.3",
  commandLine: "portolan-agent scan 10.0.0.0/30 2001:db8::1 -p 22,80,U:53",
  startedAtMs: Date.parse(AT),
  find: "ports",
  tcpPorts: [
    { first: 22, last: 22 },
    { first: 80, last: 80 },
  ],
  udpPorts: [{ first: 53, last: 53 }],
};

export const SUMMARY: ScanSummary = {
  partial: false,
  ended: "done",
  link: "packet",
  addresses: 5,
  ports: 3,
  probesPlanned: 15,
  probesCovered: 15,
  coverage: 1,
  packetsSent: 20,
  packetsReceived: 6,
  packetsRejected: 0,
  duplicates: 0,
  sendErrors: 0,
  kernelDrops: 0,
  open: 4,
  closed: 1,
  filtered: 10,
  hostsUnreachable: 0,
  durationMs: 2_500,
  ratePps: 8,
};

export function port(over: Partial<PortResult>): PortResult {
  return {
    address: "10.0.0.2",
    port: 80,
    protocol: "tcp",
    state: "open",
    reason: "syn-ack",
    ttl: 64,
    observedAt: AT,
    ...over,
  };
}

export function host(over: Partial<HostResult>): HostResult {
  return { address: "10.0.0.2", state: "up", reason: "echo-reply", ttl: 64, observedAt: AT, ...over };
}

export const PORTS: readonly PortResult[] = [
  port({ address: "2001:db8::1", port: 22, service: "ssh", product: "OpenSSH", version: "9.2p1" }),
  port({ address: "10.0.0.10", state: "closed", reason: "reset" }),
  port({ macAddress: "02:00:00:00:00:01", macVendor: "Example Corp" }),
  port({ port: 22, cpe: "cpe:/a:openbsd:openssh:9.2p1", service: "ssh", banner: "SSH-2.0-OpenSSH_9.2" }),
  {
    address: "10.0.0.2",
    port: 53,
    protocol: "udp",
    state: "filtered",
    reason: "no-response",
    observedAt: AT,
  },
  port({ address: "10.0.0.3" }),
];

export const HOSTS: readonly HostResult[] = [
  host({ hostname: "web.example" }),
  host({ address: "10.0.0.3", reason: "syn-ack", suspicious: "answers-on-every-port" }),
  { address: "10.0.0.1", state: "down", reason: "no-response", observedAt: AT },
];

/** Each would, taken literally somewhere, end a field, a line, an element or a terminal's patience. */
export const HOSTILE: readonly string[] = [
  "\u001B[2J\u001B]0;owned\u0007",
  "\u009B31m",
  "line\r\nHost: 10.9.9.9 ()\tPorts: 22/open/tcp//ssh///",
  '"/><host><status state="up"/></host>',
  "]]> & <!-- --> &amp; <![CDATA[",
  '=HYPERLINK("http://192.0.2.1","x")',
  "@SUM(1)",
  '\'quoted, "twice"',
  "\u202Egnp.exe\u2066",
  "\uD800 half \uFFFF none \u0000 nil",
  "tab\there / slash, comma",
  "漢字 🙂 e\u0301",
];

/** Everything that a format writes for one run. */
export function reportText(
  format: FormatName,
  ports: readonly PortResult[],
  hosts: readonly HostResult[],
  summary: ScanSummary | "none" = SUMMARY,
  run: RunDescription = RUN,
): string {
  const writer = newReportWriter(format);
  const parts = [writer.begin(run)];
  // One by one: a format must not depend on how results were bundled.
  for (const result of ports) parts.push(writer.ports([result]));
  for (const result of hosts) parts.push(writer.hosts([result]));
  return [...parts, ...writer.end(summary === "none" ? undefined : summary)].join("");
}
