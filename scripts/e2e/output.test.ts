/** Every output format through a reader that others have written: xmllint with nmap's DTD, tshark, jq. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { LAB_HOSTS, trueState } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { mustExecute } from "../processes/command.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { readReport, scanCommand, temporaryFolder, type TemporaryFolder } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const NMAP_DTD = "/usr/share/nmap/nmap.dtd";
const TCP_PORTS = [21, 22, 25, 53, 80, 443];
const UDP_PORTS = [53, 123, 161];
const SPEC = `${TCP_PORTS.join(",")},${UDP_PORTS.map((port) => `U:${port}`).join(",")}`;
const ADDRESSES = LAB_HOSTS.flatMap(({ address, address6 }) => [address, address6]);

/** `address port protocol state` of everything that is scanned, sorted. */
const TRUTH = LAB_HOSTS.flatMap((host) =>
  [host.address, host.address6].flatMap((address) => {
    const tcp = TCP_PORTS.map((port) => `${address} ${port} tcp ${trueState(host, "tcp", port)}`);
    return tcp.concat(UDP_PORTS.map((port) => `${address} ${port} udp ${trueState(host, "udp", port)}`));
  }),
).toSorted();

let lab: Lab;
let folder: TemporaryFolder;

beforeAll(async () => {
  lab = await createLab();
  folder = temporaryFolder();
});

afterAll(async () => {
  folder[Symbol.dispose]();
  await lab.close();
});

/** Scans everything above into a file of this name. */
async function scanInto(name: string, ...flags: readonly string[]): Promise<string> {
  const path = join(folder.path, name);
  const words = `${ADDRESSES.join(" ")} -p ${SPEC} --show all --rate 1000 --port-timeout 300 --output ${path}`;
  await mustExecute(lab.onScanner([...scanCommand(words), ...flags]));
  return path;
}

function sortedLines(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .toSorted();
}

/** The states of nmap's world: silence of a UDP port is told apart there. */
function inOurWords(line: string): string {
  return line.replace("open|filtered", "filtered");
}

test("json and ndjson, read by jq", async () => {
  const fields = String.raw`"\(.address) \(.port) \(.protocol) \(.state)"`;
  const json = await scanInto("all.json");
  const ofJson = await mustExecute(["jq", "-r", `.results[] | select(.type == "port") | ${fields}`, json]);
  expect(sortedLines(ofJson)).toEqual(TRUTH);
  const totals = ".summary.open + .summary.closed + .summary.filtered, .summary.partial";
  expect(await mustExecute(["jq", "-r", totals, json])).toBe(`${TRUTH.length}\nfalse\n`);
  const ndjson = await scanInto("all.ndjson");
  const ofNdjson = await mustExecute(["jq", "-r", `select(.type == "port") | ${fields}`, ndjson]);
  expect(sortedLines(ofNdjson)).toEqual(TRUTH);
});

test("xml, valid by nmap's own document type", async () => {
  const xml = await scanInto("all.xml");
  await mustExecute(["xmllint", "--noout", "--nonet", "--dtdvalid", NMAP_DTD, xml]);
  const open = "count(//host/ports/port[state/@state='open'])";
  expect((await mustExecute(["xmllint", "--xpath", open, xml])).trim()).toBe(
    String(TRUTH.filter((line) => line.endsWith(" open")).length),
  );
  const hosts = await mustExecute(["xmllint", "--xpath", "//host/address[@addrtype!='mac']/@addr", xml]);
  const addresses = hosts
    .matchAll(/addr="([^"]+)"/g)
    .toArray()
    .map(([, address]) => address ?? "");
  expect(addresses.toSorted()).toEqual(ADDRESSES.toSorted());
});

test("csv", async () => {
  const [head = "", ...rows] = readFileSync(await scanInto("all.csv"), "utf8")
    .trim()
    .split(/\r?\n/);
  const names = head.split(",");
  const cells = rows.map((row) => row.split(","));
  const column = (row: readonly string[], name: string): string => row[names.indexOf(name)] ?? "";
  const lines = cells
    .filter((row) => column(row, "port") !== "")
    .map((row) => ["address", "port", "protocol", "state"].map((name) => column(row, name)).join(" "));
  expect(lines.toSorted()).toEqual(TRUTH);
});

test("list, as masscan writes it", async () => {
  const lines = readFileSync(await scanInto("all.list"), "utf8").split("\n");
  const ports = lines.flatMap((line) => {
    const [, state, protocol, port, address] = /^(\S+) (tcp|udp) (\d+) (\S+) \d+$/.exec(line) ?? [];
    return state === undefined ? [] : [`${address} ${port} ${protocol} ${state}`];
  });
  expect(ports.toSorted()).toEqual(TRUTH);
  expect(lines.at(-2)).toBe("# end");
});

test("grepable, as nmap writes it", async () => {
  const ports = readFileSync(await scanInto("all.gnmap"), "utf8")
    .split("\n")
    .flatMap((line) => {
      const [, address, list = ""] = /^Host: (\S+) .*Ports: (.*)/.exec(line) ?? [];
      return list
        .matchAll(/(\d+)\/([a-z|]+)\/(tcp|udp)\//g)
        .toArray()
        .map(([, port, state, protocol]) => inOurWords(`${address} ${port} ${protocol} ${state}`));
    });
  expect(ports.toSorted()).toEqual(TRUTH);
});

test("table: every port that is open stands in it", async () => {
  const table = readFileSync(await scanInto("all.txt"), "utf8");
  for (const address of ADDRESSES) expect(table).toContain(address);
  expect(table.match(/\bopen\b(?!\|)/g)?.length).toBe(TRUTH.filter((line) => line.endsWith(" open")).length);
});

test("pcap, read by tshark: every probe with good checksums, and the answers", async () => {
  const pcap = join(folder.path, "all.pcap");
  const ndjson = await scanInto("captured.ndjson", "--pcap", pcap);
  const { summary } = readReport(readFileSync(ndjson, "utf8"));
  const count = async (filter: string): Promise<number> => {
    const checks = ["ip", "tcp", "udp"].flatMap((layer) => ["-o", `${layer}.check_checksum:TRUE`]);
    // The RST with which our kernel answers a SYN-ACK is none of the scan's packets.
    const words = ["-n", ...checks, "-r", pcap, "-Y", filter, "-T", "fields", "-e", "frame.number"];
    return sortedLines(await mustExecute(["tshark", ...words])).length;
  };
  const ours = "(ip.src == 10.213.7.1 || ipv6.src == fd00:213:7::1)";
  const probes = await count(`${ours} && (tcp.flags == 0x002 || udp) && !icmp && !icmpv6`);
  expect(probes).toBe(summary.packetsSent);
  const open = TRUTH.filter((line) => line.endsWith("tcp open")).length;
  expect(await count("tcp.flags == 0x012")).toBe(open);
  const closed = TRUTH.filter((line) => line.endsWith("tcp closed")).length;
  expect(await count("tcp.flags == 0x014")).toBe(closed);
  expect(await count("icmp || icmpv6.type == 1")).toBeGreaterThan(0);
  const bad = `ip.checksum.status == "Bad" || tcp.checksum.status == "Bad" || udp.checksum.status == "Bad"`;
  expect(await count(`${ours} && (${bad}) && !icmp && !icmpv6`)).toBe(0);
  expect(await count("_ws.malformed")).toBe(0);
});
