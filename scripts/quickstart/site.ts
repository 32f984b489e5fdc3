/** What the quick start scans: the lab of namespaces, or, where that may not be made, ports of 127.0.0.1. */

import { LAB_HOSTS, LAB_LINK } from "../lab/hosts.ts";
import { createLab } from "../lab/lab.ts";
import { namespaceProblem } from "../lab/namespaces.ts";

/** Every port that is scanned of a host, by what it must turn out to be. */
export interface Truth {
  readonly address: string;
  readonly what: string;
  readonly open: readonly number[];
  readonly closed: readonly number[];
  readonly filtered: readonly number[];
}

export interface Site {
  readonly description: string;
  /** Where the control plane listens beside 127.0.0.1, as the scanner's host reaches it. */
  readonly controlPlaneHost: string;
  readonly targets: readonly string[];
  readonly ports: readonly number[];
  readonly truth: readonly Truth[];
  /** The command line that runs `command` on the scanner's host. */
  onScannerHost(command: readonly string[]): readonly string[];
  close(): Promise<void>;
}

const LAB_PORTS = [20, 21, 22, 23, 24, 25, 53, 80, 110, 443, 543, 999];

export async function openSite(): Promise<Site> {
  return namespaceProblem() === undefined ? labSite() : loopbackSite();
}

async function labSite(): Promise<Site> {
  const lab = await createLab();
  return {
    description: `a lab of network namespaces, ${LAB_LINK.network}`,
    controlPlaneHost: lab.uplinkHere,
    targets: LAB_HOSTS.map(({ address }) => address),
    ports: LAB_PORTS,
    truth: LAB_HOSTS.map((host) => {
      const others = LAB_PORTS.filter((port) => !host.open.includes(port) && !host.dropped.includes(port));
      return {
        address: host.address,
        what: host.what,
        open: host.open,
        closed: host.others === "reset" ? others : [],
        filtered: host.others === "reset" ? host.dropped : others,
      };
    }),
    onScannerHost: (command) => lab.onScanner(command),
    close: () => lab.close(),
  };
}

async function loopbackSite(): Promise<Site> {
  const address = "127.0.0.1";
  const listeners = [0, 1, 2].map(() =>
    Bun.listen({ hostname: address, port: 0, socket: { data: () => undefined } }),
  );
  const open = listeners.map(({ port }) => port).toSorted((a, b) => a - b);
  // A port that was free a moment ago stands for a closed one.
  const probe = Bun.listen({ hostname: address, port: 0, socket: { data: () => undefined } });
  const closed = [probe.port];
  probe.stop();
  return {
    description: "ports of 127.0.0.1",
    controlPlaneHost: address,
    targets: [address],
    ports: [...open, ...closed],
    truth: [{ address, what: "this machine", open, closed, filtered: [] }],
    onScannerHost: (command) => command,
    async close() {
      for (const listener of listeners) listener.stop(true);
    },
  };
}
