/** One host in nmap's XML, with its ports. */

import { disbelief, portElement } from "#shared/output/nmap-port.ts";
import { tag } from "#shared/output/xml-element.ts";
import { type HostGroup, hardwareOf, hostStatus } from "./host-groups.ts";

export function hostElement(group: HostGroup): string {
  const { address, family, host, ports, unbelieved } = group;
  const { state, reason, ttl } = hostStatus(group);
  const hardware = hardwareOf(group);
  const times = [...ports, ...(host === undefined ? [] : [host])]
    .map(({ observedAt }) => observedAt)
    .toSorted();
  return tag(
    "host",
    { starttime: unixSeconds(times.at(0)), endtime: unixSeconds(times.at(-1)), comment: host?.suspicious },
    [
      tag("status", { state, reason, reason_ttl: ttl ?? 0 }),
      tag("address", { addr: address, addrtype: `ipv${family}` }),
      hardware === undefined
        ? ""
        : tag("address", { addr: hardware.address.toUpperCase(), addrtype: "mac", vendor: hardware.vendor }),
      host?.hostname === undefined
        ? ""
        : tag("hostnames", {}, tag("hostname", { name: host.hostname, type: "PTR" })),
      ports.length + unbelieved === 0
        ? ""
        : tag("ports", {}, extraPorts(unbelieved) + ports.map(portElement).join("")),
      host?.suspicious === undefined ? "" : disbelief(host.suspicious),
    ].join(""),
  );
}

/** Ports that are counted and not listed. */
function extraPorts(count: number): string {
  return count === 0 ? "" : tag("extraports", { state: "open", count });
}

function unixSeconds(timestamp: string | undefined): number | undefined {
  return timestamp === undefined ? undefined : Math.floor(Date.parse(timestamp) / 1_000);
}
