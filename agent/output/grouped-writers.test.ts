/** The formats that list hosts one by one: grepable and table, and the order and the warnings that all of them share. */

import { describe, expect, test } from "bun:test";
import { newReportWriter } from "./formats.ts";
import { liveHostLine, livePortLine } from "./live-line.ts";
import { nmapState } from "#shared/output/nmap-state.ts";
import { MAX_LIVE_LINES } from "./table-writer.ts";
import { newPaint } from "./terminal-style.ts";
import { host, HOSTILE, HOSTS, port, PORTS, reportText, RUN, SUMMARY } from "./testing/samples.ts";

const CONTROL = /[\p{Cc}\u202A-\u202E\u2066-\u2069]/u;

test("nmap's word for a silent UDP port", () => {
  const silent = port({ protocol: "udp", state: "filtered", reason: "no-response" });
  expect(nmapState(silent)).toBe("open|filtered");
  expect(nmapState({ ...silent, reason: "admin-prohibited" })).toBe("filtered");
  expect(nmapState({ ...silent, protocol: "tcp" })).toBe("filtered");
  expect(nmapState(port({ protocol: "udp" }))).toBe("open");
});

describe("grepable", () => {
  test("hosts by address, ports by number, nmap's fields", () => {
    expect(reportText("grepable", PORTS, HOSTS)).toBe(
      [
        `# Portolan 1.2.3 scan initiated Tue, 27 Jan 2026 10:30:00 GMT as: ${RUN.commandLine}`,
        "Host: 10.0.0.1 ()\tStatus: Down",
        "Host: 10.0.0.2 (web.example)\tStatus: Up",
        "Host: 10.0.0.2 (web.example)\tPorts: 22/open/tcp//ssh///, 80/open/tcp//http///, " +
          "53/open|filtered/udp//domain///",
        "Host: 10.0.0.3 ()\tStatus: Up",
        "Host: 10.0.0.3 ()\tWarning: answers-on-every-port",
        "Host: 10.0.0.3 ()\tPorts: \tIgnored State: open (1)",
        "Host: 10.0.0.10 ()\tStatus: Up",
        "Host: 10.0.0.10 ()\tPorts: 80/closed/tcp//http///",
        "Host: 2001:db8::1 ()\tStatus: Up",
        "Host: 2001:db8::1 ()\tPorts: 22/open/tcp//ssh//OpenSSH 9.2p1/",
        "# Portolan done at Tue, 27 Jan 2026 10:30:02 GMT -- 5 IP addresses (4 hosts up) scanned in 2.50 seconds",
        "",
      ].join("\n"),
    );
  });

  test.each([...HOSTILE])("holds %j in its field", (text) => {
    const report = reportText("grepable", [port({ product: text })], [host({ hostname: text })]);
    const lines = report.split("\n");
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line.replaceAll("\t", "")).not.toMatch(CONTROL);
    // One tab a line, one port, seven slashes in it, and the name within its brackets.
    expect(lines.map((line) => line.split("\t").length)).toEqual([1, 2, 2, 1, 1]);
    expect(lines[2]?.split("\t")[1]).toMatch(/^Ports: 80\/open\/tcp\/\/http\/\/[^/,]*\/$/);
    expect(lines[2]).toMatch(/^Host: 10\.0\.0\.2 \([^()\s]*\)\t/);
  });

  test("says where a scan was cut short or failed", () => {
    expect(reportText("grepable", [], [], { ...SUMMARY, partial: true })).toEndWith("; partial\n");
    expect(reportText("grepable", PORTS, [], "none")).toEndWith(
      "# Portolan failed; what it had found stands above\n",
    );
  });
});

describe("table", () => {
  test("a table a host, as wide as it must be", () => {
    expect(reportText("table", PORTS, HOSTS)).toBe(
      [
        "10.0.0.1  down, no-response",
        "",
        "10.0.0.2 (web.example)  up, echo-reply ttl 64",
        "MAC 02:00:00:00:00:01 (Example Corp)",
        "PORT    STATE          SERVICE  REASON",
        "22/tcp  open           ssh      syn-ack ttl 64",
        "80/tcp  open           http     syn-ack ttl 64",
        "53/udp  open|filtered  domain   no-response",
        "",
        "10.0.0.3  up, syn-ack ttl 64",
        "WARNING: answers on every port, like a SYN proxy or a tarpit; 1 ports seemed open and are not listed",
        "",
        "10.0.0.10",
        "PORT    STATE   SERVICE  REASON",
        "80/tcp  closed  http     reset ttl 64",
        "",
        "2001:db8::1",
        "PORT    STATE  SERVICE  REASON          VERSION",
        "22/tcp  open   ssh      syn-ack ttl 64  OpenSSH 9.2p1",
        "",
      ].join("\n"),
    );
  });

  test.each([...HOSTILE])("shows %j without obeying it", (text) => {
    const lines = reportText(
      "table",
      [port({ product: text, service: text, macAddress: "02:00:00:00:00:01", macVendor: text })],
      [host({ hostname: text })],
    ).split("\n");
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).not.toMatch(CONTROL);
    expect(livePortLine(port({ service: text }), newPaint(false)).trimEnd()).not.toMatch(CONTROL);
  });

  test("columns line up under wide letters", () => {
    const [, heading = "", ...rows] = reportText(
      "table",
      [port({ service: "漢字" }), port({ port: 81, service: "http" })],
      [],
    ).split("\n");
    const column = (line: string): number => Bun.stringWidth(line.slice(0, line.search(/REASON|syn-ack/)));
    expect(rows.slice(0, 2).map(column)).toEqual([column(heading), column(heading)]);
  });

  test("colours are the same text with colours in it", () => {
    const writer = newReportWriter("table", { paint: newPaint(true), isLive: false });
    writer.ports(PORTS);
    writer.hosts(HOSTS);
    const coloured = [...writer.end(SUMMARY)].join("");
    expect(coloured).toContain("\u001B[32mopen\u001B[0m");
    expect(Bun.stripANSI(coloured)).toBe(reportText("table", PORTS, HOSTS));
  });
});

test("on a terminal, results are shown at once, and the tables at the end", () => {
  const writer = newReportWriter("table", { paint: newPaint(false), isLive: true });
  expect(writer.ports([port({ service: "http" })])).toBe("open 80/tcp (http) on 10.0.0.2\n");
  expect(writer.hosts([host({})])).toBe("up 10.0.0.2 (echo-reply)\n");
  expect([...writer.end(SUMMARY)].join("")).toStartWith("\n10.0.0.2  up");
});

test("so many that nobody can read them are not shown at once", () => {
  const writer = newReportWriter("table", { paint: newPaint(false), isLive: true });
  const results = Array.from({ length: MAX_LIVE_LINES + 500 }, (_, i) => port({ port: i }));
  const shown = results.map((result) => writer.ports([result])).join("");
  expect(shown.split("\n")).toHaveLength(MAX_LIVE_LINES + 2);
  expect([...writer.end(SUMMARY)].join("").split("\n").length).toBeGreaterThan(results.length);
});

test("live lines", () => {
  const paint = newPaint(false);
  expect(livePortLine(port({ service: "http" }), paint)).toBe("open 80/tcp (http) on 10.0.0.2\n");
  expect(liveHostLine(host({}), paint)).toBe("up 10.0.0.2 (echo-reply)\n");
  expect(liveHostLine(host({ suspicious: "answers-on-every-port" }), paint)).toBe(
    "warning 10.0.0.2 answers on every port\n",
  );
});
