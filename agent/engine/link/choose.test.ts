/** Which link is taken, and what is said where a better one cannot be. */

import { describe, expect, test } from "bun:test";
import { wordsOfIpv4 } from "../targets/address-words.ts";
import { run } from "../../../scripts/lab/namespaces.ts";
import type { ScanRequest } from "../plan.ts";
import { chooseFrameLink, choosePrivilege, type Privilege, senderCount } from "./choose.ts";
import type { Route } from "./route-types.ts";
import { scanRequest } from "./testing/scan-request.ts";

function route(interfaceName: string, via: Route["via"], txQueues = 1): Route {
  return {
    family: 4,
    interfaceName,
    interfaceIndex: interfaceName.length,
    via,
    source: wordsOfIpv4(0x0a00_0001),
    isForced: false,
    mac: new Uint8Array(via === "frame" ? 6 : 0),
    gateway: undefined,
    txQueues,
  };
}

const PACKETS: Privilege = { probing: "packets", forceKernel: false, notes: [] };
const works = (): undefined => undefined;
const brokenOn =
  (broken: number) =>
  (index: number): string | undefined =>
    index === broken ? "the kernel has none" : undefined;

/** Root in all but this: the source files may lie where other users cannot read. */
const WITHOUT_RAW_SOCKETS = ["setpriv", "--bounding-set=-net_raw", "--inh-caps=-net_raw"] as const;

/** What only packets of our own can do. */
const BEYOND_CONNECTIONS: readonly Partial<ScanRequest>[] = [
  { find: "hosts" },
  { udpPorts: [{ first: 53, last: 53 }] },
  { interfaceName: "eth0" },
  { sourceAddresses: { v4: 0x7f00_0001, v6: undefined } },
  { sourceAddresses: { v4: undefined, v6: 1n } },
  { sourcePort: 53 },
  { gatewayMac: new Uint8Array(6) },
  { capturePath: "scan.pcap" },
];

describe("choosePrivilege", () => {
  test("takes packets of our own as root, and leaves all to the kernel where raw was asked for", () => {
    for (const link of ["auto", "xdp", "packet", "raw"] as const) {
      const choice = { probing: "packets", forceKernel: link === "raw", notes: [] } as const;
      expect(choosePrivilege({ ...scanRequest, link })).toEqual(choice);
    }
  });

  test("takes connections where they were asked for, for what they can do", () => {
    const request = { ...scanRequest, link: "connect" } as const;
    expect(choosePrivilege(request)).toEqual({ probing: "connect", forceKernel: true, notes: [] });
    for (const more of BEYOND_CONNECTIONS) {
      expect(() => choosePrivilege({ ...request, ...more })).toThrow(
        expect.objectContaining({ name: "UsageError", code: "CONNECT_ONLY" }),
      );
    }
  });

  test("without privilege falls back to connections, says why, and refuses what they cannot do", () => {
    const ask = (request: Partial<ScanRequest>): string => {
      const program = `
        import { choosePrivilege } from ${JSON.stringify(new URL("./choose.ts", import.meta.url).pathname)};
        import { scanRequest } from ${JSON.stringify(new URL("./testing/scan-request.ts", import.meta.url).pathname)};
        try {
          console.log(JSON.stringify(choosePrivilege({ ...scanRequest, ...${JSON.stringify(request)} })));
        } catch (error) {
          console.log(error.name, error.code, error.message);
        }`;
      return run([...WITHOUT_RAW_SOCKETS, process.execPath, "-e", program]).trim();
    };
    expect(JSON.parse(ask({}))).toEqual({
      probing: "connect",
      forceKernel: true,
      notes: ["raw sockets need root or CAP_NET_RAW; using ordinary connections instead"],
    });
    expect(ask({ link: "packet" })).toMatch(
      /^UsageError NO_PRIVILEGE cannot use the packet link: .*run with sudo/,
    );
    expect(ask({ find: "hosts" })).toMatch(/^UsageError NO_PRIVILEGE finding hosts needs/);
  });
});

describe("chooseFrameLink", () => {
  test("takes AF_XDP where it works, and says nothing", () => {
    const routes = [route("eth0", "frame"), route("lo", "kernel")];
    expect(chooseFrameLink("auto", PACKETS, routes, works)).toEqual({ frameLink: "xdp", notes: [] });
  });

  test("takes AF_PACKET for all where AF_XDP fails on one interface, and names it with the reason", () => {
    const routes = [route("eth0", "frame"), route("wlan0", "frame")];
    expect(chooseFrameLink("auto", PACKETS, routes, brokenOn("wlan0".length))).toEqual({
      frameLink: "packet",
      notes: ["using the packet link, because on wlan0 the kernel has none"],
    });
  });

  test("says where the kernel sends because there is no Ethernet", () => {
    const routes = [route("wg0", "kernel"), route("wg0", "kernel"), route("eth0", "frame")];
    expect(chooseFrameLink("auto", PACKETS, routes, works).notes).toEqual([
      "wg0: using the raw link, because it takes no Ethernet frames",
    ]);
  });

  test("tries AF_XDP once an interface, and never where no frames are sent or another link was asked for", () => {
    const asked: number[] = [];
    const problemOf = (index: number): undefined => {
      asked.push(index);
    };
    chooseFrameLink("auto", PACKETS, [route("eth0", "frame"), route("eth0", "frame")], problemOf);
    expect(asked).toEqual(["eth0".length]);
    chooseFrameLink("auto", PACKETS, [route("lo", "kernel")], problemOf);
    chooseFrameLink("packet", PACKETS, [route("eth0", "frame")], problemOf);
    chooseFrameLink("raw", { ...PACKETS, forceKernel: true }, [route("eth0", "kernel")], problemOf);
    chooseFrameLink("auto", { ...PACKETS, probing: "connect" }, [route("eth0", "frame")], problemOf);
    expect(asked).toHaveLength(1);
  });

  test.each(["xdp", "packet"] as const)("refuses %s where a target is reached without Ethernet", (wanted) => {
    const routes = [route("eth0", "frame"), route("tun0", "kernel")];
    expect(() => chooseFrameLink(wanted, PACKETS, routes, works)).toThrow(
      expect.objectContaining({ code: "NO_ETHERNET", message: expect.stringContaining("tun0") }),
    );
  });

  test("refuses xdp where it was asked for and does not work", () => {
    const routes = [route("eth0", "frame")];
    expect(() => chooseFrameLink("xdp", PACKETS, routes, brokenOn("eth0".length))).toThrow(
      expect.objectContaining({ code: "NO_XDP", message: expect.stringContaining("on eth0") }),
    );
  });
});

describe("senderCount", () => {
  test.each([
    ["one queue", [route("eth0", "frame", 1)], 16, 1],
    ["more queues than CPUs to spare", [route("eth0", "frame", 16)], 4, 3],
    ["fewer queues than CPUs", [route("eth0", "frame", 2)], 16, 2],
    ["two queues on two CPUs", [route("eth0", "frame", 2)], 2, 2],
    ["one CPU", [route("eth0", "frame", 4)], 1, 1],
    ["more of both than is of use", [route("eth0", "frame", 64)], 128, 8],
    ["the kernel's queues, which it shares out itself", [route("tun0", "kernel", 4)], 16, 1],
    ["the interface with the most", [route("eth0", "frame", 1), route("eth1", "frame", 3)], 16, 3],
    ["nothing to send", [], 16, 1],
  ] as const)("%s", (_, routes, cpus, count) => {
    expect(senderCount(routes, cpus)).toBe(count);
  });
});
