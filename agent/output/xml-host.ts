/** One host in nmap's XML, with its ports. */

import type { PortResult } from "#shared/protocol/job.ts";
import { type HostGroup, hardwareOf, hostStatus } from "./host-groups.ts";
import { nmapState } from "./nmap-state.ts";
import { serviceOf } from "./service-of.ts";
import { escapeXml, tag } from "./xml-element.ts";

/** nmap's degree of trust in a service's name: read off the port number, or told by the service. */
const CONFIDENCE_OF_TABLE = 3;
const CONFIDENCE_OF_ANSWER = 10;

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
      host?.suspicious === undefined ? "" : tag("hostscript", {}, warning(host.suspicious)),
    ].join(""),
  );
}

function warning(suspicious: string): string {
  const output = "This host answers on every port, so its open ports are not to be believed.";
  return tag("script", { id: suspicious, output });
}

/** Ports that are counted and not listed. */
function extraPorts(count: number): string {
  return count === 0 ? "" : tag("extraports", { state: "open", count });
}

function portElement(result: PortResult): string {
  const { protocol, port, reason, ttl, banner } = result;
  return tag(
    "port",
    { protocol, portid: port },
    [
      tag("state", { state: nmapState(result), reason, reason_ttl: ttl ?? 0 }),
      serviceElement(result),
      banner === undefined ? "" : tag("script", { id: "banner", output: banner }),
    ].join(""),
  );
}

function serviceElement(result: PortResult): string {
  const { service, product, version, cpe } = result;
  const isRecognised = service !== undefined || product !== undefined;
  const name = serviceOf(result) ?? (isRecognised ? "unknown" : undefined);
  if (name === undefined) return "";
  return tag(
    "service",
    {
      name,
      product,
      version,
      method: isRecognised ? "probed" : "table",
      conf: isRecognised ? CONFIDENCE_OF_ANSWER : CONFIDENCE_OF_TABLE,
    },
    cpe === undefined ? "" : tag("cpe", {}, escapeXml(cpe)),
  );
}

function unixSeconds(timestamp: string | undefined): number | undefined {
  return timestamp === undefined ? undefined : Math.floor(Date.parse(timestamp) / 1_000);
}
