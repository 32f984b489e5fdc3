/** Hosts that answer SYN-ACK on every port are said to do so, and not listed as thousands of open ports. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { MORE_OPEN_PORTS } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, scanOn } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

/** Behind a real SYN proxy, beside hosts that are not. */
const PROXIED = ["10.99.7.2", "10.99.7.5"];
const OTHERS = ["10.99.7.0", "10.99.7.1", "10.99.7.3", "10.99.7.4", "10.99.7.6", "10.99.7.7"];
const OPEN = Array.from({ length: 20 }, (_, i) => MORE_OPEN_PORTS.first + i);

let lab: BlockLab;

beforeAll(async () => {
  lab = await createBlockLab({ faults: { behindSynProxy: PROXIED } });
});

afterAll(async () => {
  await lab.close();
});

test("a SYN proxy is recognised; a host with twenty services beside it is listed in full", async () => {
  const { ports, hosts, summary } = await scanOn(lab, "10.99.7.0/29 -p 7001-9000 --rate 5000");
  const suspicious = hosts.filter((host) => host.suspicious === "answers-on-every-port");
  expect(suspicious.map(({ address }) => address).toSorted()).toEqual(PROXIED);
  expect(summary.hostsSuspicious).toBe(PROXIED.length);

  expect(portLines(ports.filter(({ address }) => !PROXIED.includes(address)))).toEqual(
    OTHERS.flatMap((address) => OPEN.map((port) => `${address} ${port}/tcp open`)).toSorted(),
  );
  for (const proxied of PROXIED) {
    // What was reported before the host was recognised is little beside the 2,000 that it claims.
    expect(ports.filter(({ address }) => address === proxied).length).toBeLessThan(100);
  }
  const listed = ports.filter(({ address }) => PROXIED.includes(address)).length;
  expect(listed + (summary.openWithheld ?? 0)).toBe(PROXIED.length * 2_000);
});

test("twenty open ports of one host are no reason for suspicion", async () => {
  const { ports, hosts, summary } = await scanOn(lab, `10.99.7.0 -p ${OPEN.join(",")} --rate 1000`);
  expect(ports).toHaveLength(OPEN.length);
  expect(hosts.filter((host) => host.suspicious !== undefined)).toEqual([]);
  expect(summary).toMatchObject({ open: OPEN.length, hostsSuspicious: 0, openWithheld: 0 });
});
