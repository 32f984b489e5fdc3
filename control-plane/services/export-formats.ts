/** Results as text that other programs read. Each format is written as results come, in the order of their keys. */

import { csvRecord } from "#shared/output/csv-record.ts";
import { disbelief, portElement } from "#shared/output/nmap-port.ts";
import { visibleJson } from "#shared/output/visible-text.ts";
import { openTag, tag } from "#shared/output/xml-element.ts";
import type { ExportFormat } from "#shared/protocol/comparisons.ts";
import { countRanges } from "#shared/net/ranges.ts";
import { formatPorts, parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import type { ResultView } from "#shared/protocol/operator.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import type { ScanRow } from "../store/scans.ts";

/** Writes one export: what comes first, each part of the results, what comes last. */
export interface ExportWriter {
  readonly contentType: string;
  begin(): string;
  results(results: readonly ResultView[]): string;
  end(): string;
}

export function exportWriter(format: ExportFormat, scan: ScanRow): ExportWriter {
  if (format === "csv") return CSV;
  return format === "ndjson" ? NDJSON : new XmlExport(scan);
}

/** The lines of `portolan-agent scan -oJ`, with what the control plane knows beside. */
const NDJSON: ExportWriter = {
  contentType: "application/x-ndjson",
  begin: () => "",
  results: (results) =>
    // The id is a cursor of pages, and means nothing outside.
    results.map((result) => `${visibleJson({ type: "port", ...result, id: undefined })}\n`).join(""),
  end: () => "",
};

const CSV_COLUMNS = [
  "vantage",
  "address",
  "port",
  "protocol",
  "state",
  "reason",
  "ttl",
  "service",
  "product",
  "version",
  "cpe",
  "banner",
  "macAddress",
  "macVendor",
  "scannerId",
  "firstSeen",
  "lastSeen",
  "suspicious",
] as const satisfies readonly (keyof ResultView)[];

const CSV: ExportWriter = {
  contentType: "text/csv; charset=utf-8",
  begin: () => csvRecord(CSV_COLUMNS),
  results: (results) =>
    results.map((result) => csvRecord(CSV_COLUMNS.map((column) => result[column]))).join(""),
  end: () => "",
};

/** The version of nmap's output format that this follows. */
const XML_OUTPUT_VERSION = "1.05";

/**
 * nmap's XML (-oX), valid against its DTD. A host is one address as one vantage point saw it, which stands in `comment`;
 * it is written when its last port is known, so a host is all that is kept in memory.
 */
class XmlExport implements ExportWriter {
  readonly contentType = "application/xml";
  private readonly scan: ScanRow;
  private host: ResultView[] = [];
  private up = 0;
  private hosts = 0;

  constructor(scan: ScanRow) {
    this.scan = scan;
  }

  begin(): string {
    const { id, engine, created_at, started_at } = this.scan;
    const startMs = started_at ?? created_at;
    const root = openTag("nmaprun", {
      scanner: "nmap",
      args: `portolan-control scan ${id}`,
      start: unixSeconds(startMs),
      startstr: new Date(startMs).toUTCString(),
      version: `portolan ${PORTOLAN_VERSION}`,
      xmloutputversion: XML_OUTPUT_VERSION,
    });
    const levels = `${tag("verbose", { level: 0 })}\n${tag("debugging", { level: 0 })}\n`;
    const scanned = scanInfo(this.scan.ports, engine === "connect" ? "connect" : "syn");
    return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n${root}\n${scanned}${levels}`;
  }

  results(results: readonly ResultView[]): string {
    let text = "";
    for (const result of results) {
      const [first] = this.host;
      if (first !== undefined && (first.address !== result.address || first.vantage !== result.vantage)) {
        text += this.endHost();
      }
      this.host.push(result);
    }
    return text;
  }

  end(): string {
    const { started_at, ended_at, created_at, status } = this.scan;
    const startMs = started_at ?? created_at;
    const endMs = ended_at ?? startMs;
    const last = this.endHost();
    const finished = tag("finished", {
      time: unixSeconds(endMs),
      timestr: new Date(endMs).toUTCString(),
      elapsed: ((endMs - startMs) / 1_000).toFixed(2),
      summary: `scan ${status}`,
      exit: status === "failed" ? "error" : "success",
      errormsg: this.scan.error_message ?? undefined,
    });
    const counted = tag("hosts", { up: this.up, down: this.hosts - this.up, total: this.hosts });
    return `${last}<runstats>${finished}${counted}</runstats>\n</nmaprun>\n`;
  }

  private endHost(): string {
    const ports = this.host;
    this.host = [];
    const [first] = ports;
    if (first === undefined) return "";
    this.hosts++;
    const answer = ports.find(({ state }) => state !== "filtered");
    if (answer !== undefined) this.up++;
    return `${hostElement(first, answer, ports)}\n`;
  }
}

/** What was scanned; nothing where the scan's ports are no specification, as of a template with several port lists. */
function scanInfo(specification: string, type: "syn" | "connect"): string {
  const ports = readPorts(specification);
  if (ports === undefined) return "";
  return [
    { type, protocol: "tcp", ranges: ports.tcp },
    { type: "udp", protocol: "udp", ranges: ports.udp },
  ]
    .filter(({ ranges }) => ranges.length > 0)
    .map(({ ranges, ...info }) => {
      // Without the "U:", which the protocol says already.
      const services = formatPorts({ tcp: ranges, udp: [] });
      return `${tag("scaninfo", { ...info, numservices: countRanges(ranges), services })}\n`;
    })
    .join("");
}

function readPorts(specification: string): PortSet | undefined {
  try {
    return parsePorts(specification);
  } catch {
    return undefined;
  }
}

function hostElement(
  { address, vantage, suspicious }: ResultView,
  answer: ResultView | undefined,
  ports: readonly ResultView[],
): string {
  const hardware = ports.find(({ macAddress }) => macAddress !== undefined);
  const times = ports.flatMap(({ firstSeen, lastSeen }) => [firstSeen, lastSeen]).toSorted();
  const seconds = (time: string | undefined): number | undefined =>
    time === undefined ? undefined : unixSeconds(Date.parse(time));
  return tag(
    "host",
    { starttime: seconds(times.at(0)), endtime: seconds(times.at(-1)), comment: vantage },
    [
      tag("status", {
        state: answer === undefined ? "unknown" : "up",
        reason: answer?.reason ?? "no-response",
        reason_ttl: answer?.ttl ?? 0,
      }),
      tag("address", { addr: address, addrtype: address.includes(":") ? "ipv6" : "ipv4" }),
      hardware?.macAddress === undefined
        ? ""
        : tag("address", {
            addr: hardware.macAddress.toUpperCase(),
            addrtype: "mac",
            vendor: hardware.macVendor,
          }),
      tag("ports", {}, ports.map(portElement).join("")),
      suspicious === undefined ? "" : disbelief(suspicious),
    ].join(""),
  );
}

function unixSeconds(timeMs: number): number {
  return Math.floor(timeMs / 1_000);
}
