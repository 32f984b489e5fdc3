/** nmap's grepable format (-oG): one line a host. Hosts are complete only at the end, so all of it is written then. */

import type { HostResult, PortResult, ScanSummary } from "#shared/protocol/job.ts";
import { type HostGroup, HostGroups, hostStatus } from "./host-groups.ts";
import { nmapState } from "#shared/output/nmap-state.ts";
import type { ReportWriter, RunDescription } from "./report-writer.ts";
import { serviceOf } from "#shared/output/service-of.ts";
import { visibleText } from "#shared/output/visible-text.ts";

export class GrepableWriter implements ReportWriter {
  private readonly groups = new HostGroups();
  private startedAtMs = 0;

  begin(run: RunDescription): string {
    this.startedAtMs = run.startedAtMs;
    const at = new Date(run.startedAtMs).toUTCString();
    return `# Portolan ${run.version} scan initiated ${at} as: ${visibleText(run.commandLine)}\n`;
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
    let up = 0;
    for (const group of this.groups.inOrder()) {
      if (hostStatus(group).state === "up") up++;
      yield hostLines(group);
    }
    if (summary === undefined) {
      yield "# Portolan failed; what it had found stands above\n";
      return;
    }
    const at = new Date(this.startedAtMs + summary.durationMs).toUTCString();
    const total = Math.max(summary.addresses, up);
    const seconds = (summary.durationMs / 1_000).toFixed(2);
    yield `# Portolan done at ${at} -- ${total} IP addresses (${up} hosts up) scanned in ${seconds} seconds` +
      `${summary.partial ? "; partial" : ""}\n`;
  }
}

function hostLines(group: HostGroup): string {
  const name = fieldText(group.host?.hostname ?? "").replaceAll(/[()\s]/g, "_");
  const host = `Host: ${group.address} (${name})`;
  const { state } = hostStatus(group);
  const lines = [`${host}\tStatus: ${state === "up" ? "Up" : state === "down" ? "Down" : "Unknown"}\n`];
  if (group.host?.suspicious !== undefined) lines.push(`${host}\tWarning: ${group.host.suspicious}\n`);
  const ignored = group.unbelieved === 0 ? "" : `\tIgnored State: open (${group.unbelieved})`;
  const ports = group.ports.map(portEntry).join(", ");
  if (ports !== "" || ignored !== "") lines.push(`${host}\tPorts: ${ports}${ignored}\n`);
  return lines.join("");
}

/** port/state/protocol/owner/service/rpc/version/ */
function portEntry(result: PortResult): string {
  const version = [result.product, result.version].filter((part) => part !== undefined).join(" ");
  const service = fieldText(serviceOf(result) ?? "");
  return `${result.port}/${nmapState(result)}/${result.protocol}//${service}//${fieldText(version)}/`;
}

/** As nmap does it: a slash would begin the next field, a comma the next port. */
function fieldText(text: string): string {
  return visibleText(text).replaceAll("/", "|").replaceAll(",", ";");
}
