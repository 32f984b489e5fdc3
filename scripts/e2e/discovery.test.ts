/** Who is there: on the own link by ARP and neighbour discovery, behind a gateway by whatever the host answers. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { HostResult } from "#shared/protocol/job.ts";
import { OPEN_PORT } from "../lab/block.ts";
import { type BlockLab, createBlockLab } from "../lab/block-lab.ts";
import { LAB_HOSTS, LAB_LINK } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, scanOn } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let lab: Lab;
let block: BlockLab;

beforeAll(async () => {
  lab = await createLab();
  block = await createBlockLab();
});

afterAll(async () => {
  await block.close();
  await lab.close();
});

function upLines(hosts: readonly HostResult[]): string[] {
  return hosts
    .filter(({ state }) => state === "up")
    .map(({ address, reason }) => `${address} ${reason}`)
    .toSorted();
}

test.each([
  ["ARP", "10.213.7.2-254", "arp-reply", LAB_HOSTS.map(({ address }) => address)],
  [
    "neighbour discovery",
    "fd00:213:7::2-fd00:213:7::ff",
    "nd-reply",
    LAB_HOSTS.map(({ address6 }) => address6),
  ],
])(
  "on the link, by %s: even who drops everything, with hardware addresses",
  async (_, range, reason, there) => {
    const { hosts, ports, summary, exitCode } = await scanOn(lab, `${range} --only-discover --rate 1000`);
    expect(upLines(hosts)).toEqual(there.map((address) => `${address} ${reason}`).toSorted());
    for (const { state, macAddress } of hosts) {
      if (state === "up") expect(macAddress?.toLowerCase()).toBe(lab.hostMac);
    }
    expect(ports).toEqual([]);
    expect(summary).toMatchObject({ partial: false });
    expect(exitCode).toBe(0);
  },
);

test("the whole network of the link: ourselves too", async () => {
  const { hosts } = await scanOn(lab, `${LAB_LINK.network} --only-discover --rate 1000`);
  const up = hosts.filter(({ state }) => state === "up").map(({ address }) => address);
  expect(up.toSorted()).toEqual([LAB_LINK.scanner, ...LAB_HOSTS.map(({ address }) => address)].toSorted());
});

test("behind a gateway: by ping, by SYN where no ping is answered, by ACK where neither is", async () => {
  block.setFaults({
    withoutPing: ["10.99.3.1"],
    withoutPingAndSyn: ["10.99.3.2"],
    silent: ["10.99.3.3"],
  });
  const { hosts, summary } = await scanOn(
    block,
    "10.99.3.0/29 --only-discover --rate 1000 --retries 1 --port-timeout 500",
  );
  const up = new Map(hosts.filter(({ state }) => state === "up").map((host) => [host.address, host]));
  expect([...up.keys()].toSorted()).toEqual([0, 1, 2, 4, 5, 6, 7].map((i) => `10.99.3.${i}`));
  // One that answers everything may answer anything first.
  expect(up.get("10.99.3.1")?.reason).toMatch(/^(syn-ack|reset)$/);
  expect(up.get("10.99.3.2")?.reason).toBe("reset");
  for (const host of up.values()) expect(host.macAddress).toBeUndefined();
  expect(summary.partial).toBe(false);
});

test("behind a gateway over IPv6", async () => {
  block.setFaults({});
  const { hosts } = await scanOn(block, "fd00:213:99::300/125 --only-discover --rate 1000");
  expect(hosts.filter(({ state }) => state === "up")).toHaveLength(8);
});

test("--discover scans only who is there", async () => {
  block.setFaults({ silent: ["10.99.3.4/30"] });
  const { ports, summary, stderr } = await scanOn(
    block,
    `10.99.3.0/29 -p 20-24 --discover --show all --rate 1000 --port-timeout 500`,
  );
  const there = [0, 1, 2, 3].map((i) => `10.99.3.${i}`);
  expect(portLines(ports)).toEqual(
    there
      .flatMap((address) =>
        [20, 21, 22, 23, 24].map(
          (port) => `${address} ${port}/tcp ${port === OPEN_PORT ? "open" : "closed"}`,
        ),
      )
      .toSorted(),
  );
  expect(summary).toMatchObject({ addresses: 4, probesPlanned: 20 });
  expect(stderr).toContain("4 of 8");
});
