/**
 * nmap's XML (-oX), valid against its DTD, so that whatever imports nmap's reports imports ours. The DTD knows one
 * scanner, `nmap`; version and arguments say who really scanned. Hosts are written at the end, when they are complete.
 */

import { formatPorts } from "#shared/net/port-spec.ts";
import { countRanges } from "#shared/net/ranges.ts";
import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { HostGroups, hostStatus } from "./host-groups.ts";
import type { ReportWriter, RunDescription } from "./report-writer.ts";
import { openTag, tag } from "#shared/output/xml-element.ts";
import { hostElement } from "./xml-host.ts";

/** The version of nmap's output format that this follows. */
const XML_OUTPUT_VERSION = "1.05";

export class XmlWriter implements ReportWriter {
  private readonly groups = new HostGroups();
  private run: RunDescription | undefined;

  begin(run: RunDescription): string {
    this.run = run;
    const root = openTag("nmaprun", {
      scanner: "nmap",
      args: run.commandLine,
      start: unixSeconds(run.startedAtMs),
      startstr: new Date(run.startedAtMs).toUTCString(),
      version: `portolan ${run.version}`,
      xmloutputversion: XML_OUTPUT_VERSION,
    });
    return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n${root}\n`;
  }

  ports(results: readonly PortResult[]): string {
    this.groups.addPorts(results);
    return "";
  }

  hosts(results: readonly HostResult[]): string {
    this.groups.addHosts(results);
    return "";
  }

  *end(summary: ScanSummary | undefined): Generator<string> {
    if (this.run === undefined) throw new Error("the report was not begun");
    yield scanInfo(this.run, summary?.link === "connect");
    let up = 0;
    for (const group of this.groups.inOrder()) {
      if (hostStatus(group).state === "up") up++;
      yield `${hostElement(group)}\n`;
    }
    yield `${runStats(this.run, summary, up)}\n</nmaprun>\n`;
  }
}

/** What was scanned. Whether TCP went out as packets or as connections is known only when a link was chosen. */
function scanInfo(run: RunDescription, byConnections: boolean): string {
  const { tcpPorts, udpPorts } = run;
  const elements: string[] = [];
  if (run.find === "ports" && tcpPorts.length > 0) {
    elements.push(
      tag("scaninfo", {
        type: byConnections ? "connect" : "syn",
        protocol: "tcp",
        numservices: countRanges(tcpPorts),
        services: formatPorts({ tcp: tcpPorts, udp: [] }),
      }),
    );
  }
  if (run.find === "ports" && udpPorts.length > 0) {
    elements.push(
      tag("scaninfo", {
        type: "udp",
        protocol: "udp",
        numservices: countRanges(udpPorts),
        // Without the "U:", which the protocol says already.
        services: formatPorts({ tcp: udpPorts, udp: [] }),
      }),
    );
  }
  elements.push(tag("verbose", { level: 0 }), tag("debugging", { level: 0 }));
  return `${elements.join("\n")}\n`;
}

function runStats(run: RunDescription, summary: ScanSummary | undefined, up: number): string {
  const elapsedMs = summary?.durationMs ?? 0;
  const endMs = run.startedAtMs + elapsedMs;
  const total = Math.max(summary?.addresses ?? 0, up);
  const finished = tag("finished", {
    time: unixSeconds(endMs),
    timestr: new Date(endMs).toUTCString(),
    elapsed: (elapsedMs / 1_000).toFixed(2),
    summary: summary === undefined ? undefined : endText(summary),
    exit: summary === undefined ? "error" : "success",
    errormsg: summary === undefined ? "the scan failed; what it had found is listed" : undefined,
  });
  return `<runstats>${finished}${tag("hosts", { up, down: total - up, total })}</runstats>`;
}

function endText({ ended, partial, coverage, open }: ScanSummary): string {
  const whole = `open ports: ${open}; coverage ${(coverage * 100).toFixed(2)} %`;
  return partial ? `${whole}; ${ended}; the result is partial` : `${whole}; ${ended}`;
}

function unixSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1_000);
}
