/**
 * A table a host, for people. Columns fit what is in them, so a host is written when it is complete, at the end. On a
 * terminal each result has a line of its own before that, as soon as it is known.
 */

import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import { type HostGroup, HostGroups, hardwareOf } from "./host-groups.ts";
import { liveHostLine, livePortLine } from "./live-line.ts";
import { nmapState } from "#shared/output/nmap-state.ts";
import type { ReportWriter } from "./report-writer.ts";
import { serviceOf } from "#shared/output/service-of.ts";
import { type Paint, styleOfState } from "./terminal-style.ts";
import { visibleText } from "#shared/output/visible-text.ts";

const HEADINGS = ["PORT", "STATE", "SERVICE", "REASON", "VERSION"] as const;
const STATE_COLUMN = 1;
/** Nobody reads more than this while it runs by; the tables have them all. */
export const MAX_LIVE_LINES = 1_000;

export class TableWriter implements ReportWriter {
  private readonly groups = new HostGroups();
  private readonly paint: Paint;
  private liveLinesLeft: number;
  private wasLive = false;

  /** @param isLive show each result at once, too */
  constructor(paint: Paint, isLive: boolean) {
    this.paint = paint;
    this.liveLinesLeft = isLive ? MAX_LIVE_LINES : 0;
  }

  begin(): string {
    return "";
  }

  ports(results: readonly PortResult[]): string {
    this.groups.addPorts(results);
    return this.live(results, livePortLine);
  }

  hosts(results: readonly HostResult[]): string {
    this.groups.addHosts(results);
    return this.live(results, liveHostLine);
  }

  *end(): Generator<string> {
    // Tables stand apart, hosts of one line close together.
    let wasTable = this.wasLive;
    let isFirst = true;
    for (const group of this.groups.inOrder()) {
      const text = hostText(group, this.paint);
      const isTable = text.indexOf("\n") < text.length - 1;
      yield (wasTable || (isTable && !isFirst) ? "\n" : "") + text;
      isFirst = false;
      wasTable = isTable;
    }
  }

  private live<T>(results: readonly T[], lineOf: (result: T, paint: Paint) => string): string {
    if (this.liveLinesLeft === 0 || results.length === 0) return "";
    this.wasLive = true;
    const shown = results.slice(0, this.liveLinesLeft);
    this.liveLinesLeft -= shown.length;
    const rest = this.liveLinesLeft === 0 ? "… and so on; all of them are listed at the end\n" : "";
    return shown.map((result) => lineOf(result, this.paint)).join("") + rest;
  }
}

function hostText(group: HostGroup, paint: Paint): string {
  const { address, host, ports, unbelieved } = group;
  const name = host?.hostname === undefined ? "" : ` (${visibleText(host.hostname)})`;
  const lines = [paint("bold", address) + name + (host === undefined ? "" : `  ${hostState(host)}`)];
  const hardware = hardwareOf(group);
  if (hardware !== undefined) {
    const vendor = hardware.vendor === undefined ? "" : ` (${visibleText(hardware.vendor)})`;
    lines.push(`MAC ${visibleText(hardware.address)}${vendor}`);
  }
  if (host?.suspicious !== undefined) {
    const left = `${unbelieved} ports seemed open and are not listed`;
    lines.push(paint("yellow", `WARNING: answers on every port, like a SYN proxy or a tarpit; ${left}`));
  }
  if (ports.length > 0) lines.push(...tableLines(ports.map(cellsOf), paint));
  return `${lines.join("\n")}\n`;
}

function hostState({ state, reason, ttl }: HostResult): string {
  return `${state}, ${visibleText(reason)}${ttl === undefined ? "" : ` ttl ${ttl}`}`;
}

function cellsOf(result: PortResult): readonly string[] {
  const { port, protocol, reason, ttl, product, version } = result;
  return [
    `${port}/${protocol}`,
    nmapState(result),
    serviceOf(result) ?? "",
    ttl === undefined ? reason : `${reason} ttl ${ttl}`,
    [product, version].filter((part) => part !== undefined).join(" "),
  ].map(visibleText);
}

/** Columns side by side, each as wide as its widest cell; a column that nobody fills is left out. */
function tableLines(rows: readonly (readonly string[])[], paint: Paint): string[] {
  const columns = HEADINGS.map((heading, i) => ({ heading, i })).filter(({ i }) =>
    rows.some((row) => row[i] !== ""),
  );
  const widths = columns.map(({ heading, i }) =>
    rows.reduce((widest, row) => Math.max(widest, Bun.stringWidth(row[i] ?? "")), heading.length),
  );
  const join = (cells: readonly string[], state: boolean): string =>
    columns
      .map(({ i }, at) => {
        const cell = cells[i] ?? "";
        const padding =
          at === columns.length - 1 ? "" : " ".repeat((widths[at] ?? 0) - Bun.stringWidth(cell));
        return (state && i === STATE_COLUMN ? paint(styleOfState(cell), cell) : cell) + padding;
      })
      .join("  ")
      .trimEnd();
  return [paint("dim", join(HEADINGS, false)), ...rows.map((row) => join(row, true))];
}
