/** The compiled agent scans the lab: real packets between namespaces, compared with what is really there. */

import { afterAll, beforeAll, expect, test, setDefaultTimeout } from "bun:test";
import { scanSummarySchema } from "#shared/protocol/job.ts";
import { LAB_HOSTS, LAB_LINK, trueState } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { waitFor } from "../processes/service.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, scanCommand, scanOn } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});

afterAll(async () => {
  await lab.close();
});

const ALL_OPEN = LAB_HOSTS.flatMap(({ address, open }) =>
  open.map((port) => `${address} ${port}/tcp open`),
).toSorted();

test("a /24 with 1,000 ports: every open port, nothing else, and a summary that adds up", async () => {
  const { ports, summary, stderr, exitCode } = await scanOn(
    lab,
    `${LAB_LINK.network} -p 1-1000 --rate 20000`,
  );
  expect(portLines(ports)).toEqual(ALL_OPEN);
  expect(exitCode).toBe(0);
  expect(summary).toMatchObject({
    partial: false,
    ended: "done",
    coverage: 1,
    // The network's broadcast address is no target.
    addresses: 255,
    ports: 1000,
    probesPlanned: 255_000,
    open: ALL_OPEN.length,
    kernelDrops: 0,
    sendErrors: 0,
    duplicates: 0,
  });
  expect(summary.open + summary.closed + summary.filtered).toBe(255_000);
  // The five hosts and the scanner's own address answer ARP or are local; nobody else is there.
  expect(summary.hostsUnreachable).toBe(255 - LAB_HOSTS.length - 1);
  expect(stderr).toContain("10.213.7.255");
  for (const word of ["sent", "received", "drops", "duration", "coverage"]) expect(stderr).toContain(word);
});

test("open, closed and filtered are told apart on every kind of host", async () => {
  const named = [21, 22, 25, 53, 80];
  const { ports } = await scanOn(
    lab,
    `${LAB_HOSTS.map(({ address }) => address).join(" ")} -p ${named.join(",")} --rate max --show all`,
  );
  expect(portLines(ports)).toEqual(
    LAB_HOSTS.flatMap((host) =>
      named.map((port) => `${host.address} ${port}/tcp ${trueState(host, "tcp", port)}`),
    ).toSorted(),
  );
  const reasons = new Map(ports.map(({ address, port, reason }) => [`${address} ${port}`, reason]));
  expect(reasons.get("10.213.7.10 22")).toBe("syn-ack");
  expect(reasons.get("10.213.7.10 21")).toBe("reset");
  expect(reasons.get("10.213.7.10 25")).toBe("no-response");
  expect(reasons.get("10.213.7.20 21")).toBe("admin-prohibited");
});

test("every probe goes over the wire exactly once when nothing is asked again", async () => {
  const before = lab.synsReceived();
  const { summary } = await scanOn(lab, "10.213.7.40 -p 1-5000 --rate 20000 --retries 0");
  expect(summary.packetsSent).toBe(5_000);
  expect(lab.synsReceived() - before).toBe(5_000);
});

test("a second pass asks again only what was silent", async () => {
  const { summary } = await scanOn(lab, "10.213.7.10 -p 23-32 --rate max --retries 2 --port-timeout 200");
  // Nine of the ten ports answer at once; one is dropped and asked three times.
  expect(summary.packetsSent).toBe(10 + 2);
  expect(summary.filtered).toBe(1);
});

test("a reader that takes its time costs no answer: the scan waits for it", async () => {
  const hosts = "10.213.7.10 10.213.7.11 10.213.7.40";
  const before = lab.synsReceived();
  const words = `${hosts} -p 1-40000 --rate max --retries 3 --show closed`;
  const child = Bun.spawn(lab.onScanner(scanCommand(words)), { stdout: "pipe", stderr: "ignore" });
  // More than the pipe and the ring together hold, while nobody reads.
  await waitFor("the reader to be behind", 60_000, [], async () =>
    lab.synsReceived() - before > 30_000 ? true : undefined,
  );
  const lines = (await new Response(child.stdout).text()).trim().split("\n");
  const summary = scanSummarySchema.parse(JSON.parse(lines.at(-1) ?? ""));
  expect(summary).toMatchObject({ probesPlanned: 120_000, partial: false, kernelDrops: 0 });
  expect(summary.open + summary.closed + summary.filtered).toBe(120_000);
  expect(lines.length - 1).toBe(summary.closed);
  // One port of these is dropped by its host.
  expect(summary.filtered).toBe(1);
});
