/** Every way to send finds the same, over every kind of interface and with every kind of privilege. */

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { BLOCK, OPEN_PORT } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { LAB_HOSTS } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { run } from "../lab/namespaces.ts";
import { Tunnel, TUNNEL } from "../lab/tunnel.ts";
import { NOBODY } from "../testing/nobody.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, scanOn } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

const HOSTS = LAB_HOSTS.filter(({ others }) => others === "reset");
const TARGETS = HOSTS.flatMap(({ address, address6 }) => [address, address6]).join(" ");
const ALL_OPEN = HOSTS.flatMap(({ address, address6, open }) =>
  [address, address6].flatMap((to) => open.map((port) => `${to} ${port}/tcp open`)),
).toSorted();

const POWERLESS = [...NOBODY, "--no-new-privs"];
/** One capability, as a service has it, and no other to be had. */
const CAP_NET_RAW_ONLY = [
  ...POWERLESS,
  "--inh-caps=-all,+net_raw",
  "--ambient-caps=-all,+net_raw",
  "--bounding-set=-all,+net_raw",
];

let lab: Lab;
let block: BlockLab;

beforeAll(async () => {
  lab = await createLab();
  block = await createBlockLab({ queues: 2 });
});

afterAll(async () => {
  await block.close();
  await lab.close();
});

test.each(["xdp", "packet", "raw", "connect"])("the %s link, IPv4 and IPv6 in one run", async (link) => {
  const { ports, summary } = await scanOn(lab, `${TARGETS} -p 1-1000 --rate 20000 --link ${link}`);
  expect(portLines(ports)).toEqual(ALL_OPEN);
  expect(summary).toMatchObject({ link, partial: false, sendErrors: 0, kernelDrops: 0 });
});

test.each(["xdp", "packet", "raw"])("through a gateway, over two queues: the %s link", async (link) => {
  const targets = "10.99.4.0/23 fd00:213:99::400/119";
  const { ports, summary } = await scanOn(block, `${targets} -p 20-24 --rate 20000 --link ${link}`);
  expect(ports).toHaveLength(1_024);
  expect(new Set(portLines(ports)).size).toBe(1_024);
  expect(ports.every(({ port }) => port === OPEN_PORT)).toBe(true);
  expect(summary).toMatchObject({ link, open: 1_024, closed: 4_096, filtered: 0 });
});

test("several senders at once send every probe once", async () => {
  block.setFaults({});
  const { summary } = await scanOn(block, `${BLOCK.network} -p 21-22 --rate 60000 --retries 0 --senders 2`);
  expect(summary).toMatchObject({ packetsSent: 131_072, open: 65_536, closed: 65_536, duplicates: 0 });
  expect(block.counted("syns")).toBe(131_072);
});

describe("privilege", () => {
  test("CAP_NET_RAW alone is enough for the fastest link", async () => {
    const { ports, summary } = await scanOn(lab, `${TARGETS} -p 1-1000 --rate 20000`, CAP_NET_RAW_ONLY);
    expect(portLines(ports)).toEqual(ALL_OPEN);
    expect(summary.link).toBe("xdp");
  });

  test("none at all: by connections, and it says so", async () => {
    const { ports, summary, stderr } = await scanOn(lab, `${TARGETS} -p 1-1000 --rate 20000`, POWERLESS);
    expect(portLines(ports)).toEqual(ALL_OPEN);
    expect(summary.link).toBe("connect");
    expect(stderr).toContain("CAP_NET_RAW");
  });
});

describe("interfaces without Ethernet", () => {
  test("a tun device", async () => {
    const tunnel = await Tunnel.open(block.scanner, block.target);
    try {
      const { ports, summary } = await scanOn(
        block,
        `${TUNNEL.target} ${TUNNEL.target6} -p 1-1000 --rate 5000`,
      );
      expect(portLines(ports)).toEqual(
        [TUNNEL.target, TUNNEL.target6].map((address) => `${address} ${OPEN_PORT}/tcp open`),
      );
      expect(summary).toMatchObject({ link: "raw", open: 2, closed: 1_998, filtered: 0 });
    } finally {
      await tunnel.close();
    }
  });

  test("--interface sends over a tun device what the kernel would send elsewhere", async () => {
    const tunnel = await Tunnel.open(block.scanner, block.target);
    try {
      const way = ["via", TUNNEL.target, "dev", TUNNEL.interfaceName, "metric", "500"];
      run(["ip", "-n", block.scanner, "route", "add", BLOCK.network, ...way]);
      block.setFaults({});
      const words = `10.99.1.2 -p ${OPEN_PORT} --interface ${TUNNEL.interfaceName}`;
      const { summary } = await scanOn(block, words);
      expect(summary).toMatchObject({ link: "raw", open: 1 });
      // Counted where the kernel's better route leads.
      expect(block.counted("syns")).toBe(0);
    } finally {
      await tunnel.close();
    }
  });

  test("loopback, of both families", async () => {
    const targets = "127.0.0.1 127.9.8.7 ::1";
    // Inside the target's namespace something listens on every address.
    const host = {
      onScanner: (command: readonly string[]) => ["ip", "netns", "exec", block.target, ...command],
    };
    const { ports, summary } = await scanOn(host, `${targets} -p 1-100 --rate 5000`);
    expect(portLines(ports)).toEqual(
      targets
        .split(" ")
        .map((address) => `${address} ${OPEN_PORT}/tcp open`)
        .toSorted(),
    );
    expect(summary).toMatchObject({ link: "raw", closed: 297, filtered: 0, duplicates: 0 });
  });
});

test.each(["xdp", "packet", "raw", "connect"])(
  "a broadcast address is not probed through the %s link",
  async (link) => {
    const { summary, stderr } = await scanOn(
      lab,
      `10.213.7.254-255 -p 80 --retries 0 --port-timeout 100 --link ${link}`,
    );
    expect(summary).toMatchObject({ addresses: 1, sendErrors: 0, partial: false });
    expect(stderr).toContain("10.213.7.255");
  },
);
