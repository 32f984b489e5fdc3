/** Probes over a real link between two network namespaces: each arrives once, and the other kernel finds them sound. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { inNamespace, run } from "../../../scripts/lab/namespaces.ts";
import { LinkPair } from "./testing/link-pair.ts";
import type { SendOrder, SendReport } from "./testing/send-probes.ts";

const COUNT = 400;
const PROGRAM = new URL("./testing/send-probes.ts", import.meta.url).pathname;

/** One counter a kind and family, at the very entrance of the other side. */
const COUNTERS = {
  "SYN over IPv4": "ip saddr 10.1.0.1 tcp dport 9 tcp flags == syn",
  "ACK over IPv4": "ip saddr 10.1.0.1 tcp dport 9 tcp flags == ack",
  "UDP over IPv4": "ip saddr 10.1.0.1 udp dport 9",
  "echo over IPv4": "ip saddr 10.1.0.1 icmp type echo-request",
  "SYN over IPv6": "ip6 saddr fd00:1::1 tcp dport 9 tcp flags == syn",
  "ACK over IPv6": "ip6 saddr fd00:1::1 tcp dport 9 tcp flags == ack",
  "UDP over IPv6": "ip6 saddr fd00:1::1 udp dport 9",
  "echo over IPv6": "ip6 saddr fd00:1::1 icmpv6 type echo-request",
};
const NAMES = Object.keys(COUNTERS);

describe("probes of every kind and family arrive once, sound", () => {
  let pair: LinkPair;

  beforeAll(() => {
    pair = new LinkPair();
    // Two queues, so that two senders can have one each.
    pair.here("link", "delete", "lan");
    const veth = ["link", "add", "lan", "numtxqueues", "2", "numrxqueues", "2", "type", "veth"];
    pair.here(...veth, "peer", "name", "lan", "netns", pair.them, "numtxqueues", "2", "numrxqueues", "2");
    for (const [name, host] of [
      [pair.us, 1],
      [pair.them, 2],
    ] as const) {
      run(["ip", "-n", name, "address", "add", `10.1.0.${host}/24`, "dev", "lan"]);
      run(["ip", "-n", name, "address", "add", `fd00:1::${host}/64`, "dev", "lan", "nodad"]);
      run(["ip", "-n", name, "link", "set", "lan", "up"]);
    }
  });

  afterAll(() => pair.close());

  function macOf(namespace: string): string {
    return run(inNamespace(namespace, ["cat", "/sys/class/net/lan/address"]))
      .trim()
      .replaceAll(":", "");
  }

  function send(link: SendOrder["link"], lane = 0, asNobody = false): SendReport {
    const order: SendOrder = {
      link,
      interfaceIndex: Number(run(inNamespace(pair.us, ["cat", "/sys/class/net/lan/ifindex"]))),
      ourMac: macOf(pair.us),
      theirMac: macOf(pair.them),
      txQueues: 2,
      lane,
      count: COUNT,
    };
    const rights = [
      "setpriv",
      "--inh-caps=-all,+net_raw",
      "--ambient-caps=-all,+net_raw",
      "--bounding-set=-all,+net_raw",
    ];
    const nobody = ["--no-new-privs", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const program = [process.execPath, PROGRAM];
    const command = asNobody ? [...rights, ...nobody, ...program] : program;
    return JSON.parse(run(inNamespace(pair.us, command), JSON.stringify(order)));
  }

  function setCounters(): void {
    const rules = Object.values(COUNTERS).map((match) => `${match} counter`);
    const chain = `chain entrance {\ntype filter hook prerouting priority -300\n${rules.join("\n")}\n}`;
    const script = `table inet probes\ndelete table inet probes\ntable inet probes {\n${chain}\n}\n`;
    run(inNamespace(pair.them, ["nft", "-f", "-"]), script);
  }

  function counts(): number[] {
    const listing = run(inNamespace(pair.them, ["nft", "list", "table", "inet", "probes"]));
    return [...listing.matchAll(/counter packets (\d+)/g)].map(([, packets]) => Number(packets));
  }

  /** Packets that the other kernel found wrong, by its own counters of both families. */
  function faults(): number {
    const files = ["/proc/net/snmp", "/proc/net/snmp6"].map((path) =>
      run(inNamespace(pair.them, ["cat", path])),
    );
    const [v4 = "", v6 = ""] = files;
    const lines = v4.split("\n").map((line) => line.split(" "));
    let sum = 0;
    for (const [i, names] of lines.entries()) {
      const values = lines[i + 1];
      if (values === undefined || values[0] !== names[0]) continue;
      names.forEach((name, place) => {
        if (/^(InCsumErrors|InHdrErrors|InErrs)$/.test(name)) sum += Number(values[place]);
      });
    }
    for (const [, value] of v6.matchAll(/^\w*(?:InCsumErrors|InHdrErrors)\s+(\d+)/gm)) sum += Number(value);
    return sum;
  }

  test.each([
    ["xdp", ["XdpTransmitter"]],
    ["packet", ["PacketTransmitter"]],
    ["raw", ["RawTransmitter", "RawTransmitter"]],
  ] as const)("through the %s link", (link, transmitters) => {
    setCounters();
    expect(send(link)).toEqual({
      transmitters: [...transmitters],
      sent: COUNT * NAMES.length,
      refused: 0,
      reason: "",
    });
    expect(counts()).toEqual(NAMES.map(() => COUNT));
    expect(faults()).toBe(0);
  });

  test("a second sender has the second queue, and one for which there is none sends without AF_XDP", () => {
    expect(send("xdp", 1).transmitters).toEqual(["XdpTransmitter"]);
    expect(send("xdp", 2).transmitters).toEqual(["PacketTransmitter"]);
  });

  test("AF_XDP needs no more than CAP_NET_RAW", () => {
    setCounters();
    expect(send("xdp", 0, true)).toMatchObject({ transmitters: ["XdpTransmitter"], refused: 0 });
    expect(counts()).toEqual(NAMES.map(() => COUNT));
  });
});
