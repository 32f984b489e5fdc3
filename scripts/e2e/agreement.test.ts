/** The same targets and ports through nmap and through the agent: they agree, state by state, and both with the truth. */

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { PortResult } from "#shared/protocol/job.ts";
import type { TransportProtocol } from "#shared/protocol/fields.ts";
import { LAB_HOSTS, type LabHost, trueState } from "../lab/hosts.ts";
import { createLab, type Lab } from "../lab/lab.ts";
import { mustExecute } from "../processes/command.ts";
import { E2E_TIMEOUT_MS } from "../testing/timeouts.ts";
import { portLines, scanOn } from "./agent-scan.ts";

setDefaultTimeout(E2E_TIMEOUT_MS);

/** Few enough that nmap lists every one, whatever its state. */
const TCP_PORTS = [20, 21, 22, 25, 53, 80, 443, 543, 999];
const UDP_PORTS = [7, 53, 123, 161, 9_999];

let lab: Lab;

beforeAll(async () => {
  lab = await createLab();
});

afterAll(async () => {
  await lab.close();
});

const CASES: readonly { family: 4 | 6; protocol: TransportProtocol; ports: readonly number[] }[] = [
  { family: 4, protocol: "tcp", ports: TCP_PORTS },
  { family: 6, protocol: "tcp", ports: TCP_PORTS },
  { family: 4, protocol: "udp", ports: UDP_PORTS },
  { family: 6, protocol: "udp", ports: UDP_PORTS },
];

test.each(CASES)("IPv$family $protocol", async ({ family, protocol, ports }) => {
  const addresses = LAB_HOSTS.map((host) => addressOf(host, family));
  const spec = ports.map((port) => (protocol === "udp" ? `U:${port}` : String(port))).join(",");
  const own = await scanOn(
    lab,
    `${addresses.join(" ")} -p ${spec} --show all --rate 1000 --retries 2 --port-timeout 500`,
  );
  expect(own.exitCode).toBe(0);

  expect(portLines(own.ports)).toEqual(
    LAB_HOSTS.flatMap((host) =>
      ports.map(
        (port) => `${addressOf(host, family)} ${port}/${protocol} ${trueState(host, protocol, port)}`,
      ),
    ).toSorted(),
  );
  expect(own.ports.map((result) => nmapLine(result)).toSorted()).toEqual(
    await nmapLines(addresses, family, protocol, ports),
  );
});

/** Silence of a UDP port is "open|filtered" in nmap's words, and "filtered" for want of a response in ours. */
function nmapLine({ address, port, protocol, state, reason }: PortResult): string {
  const silentUdp = protocol === "udp" && state === "filtered" && reason === "no-response";
  return `${address} ${port}/${protocol} ${silentUdp ? "open|filtered" : state}`;
}

async function nmapLines(
  addresses: readonly string[],
  family: 4 | 6,
  protocol: TransportProtocol,
  ports: readonly number[],
): Promise<string[]> {
  const kind = [protocol === "udp" ? "-sU" : "-sS", ...(family === 6 ? ["-6"] : [])];
  const words = ["-n", "-Pn", ...kind, "-p", ports.join(","), "-oG", "-", ...addresses];
  const output = await mustExecute(lab.onScanner(["nmap", ...words]));
  return output
    .split("\n")
    .flatMap((line) => {
      const host = /^Host: (\S+) .*Ports: (.*)$/.exec(line);
      const [, address, list] = host ?? [];
      return (list ?? "")
        .matchAll(/(\d+)\/([a-z|]+)\/(tcp|udp)\//g)
        .toArray()
        .map(([, port, state, of]) => `${address} ${port}/${of} ${state}`);
    })
    .toSorted();
}

function addressOf({ address, address6 }: LabHost, family: 4 | 6): string {
  return family === 4 ? address : address6;
}
