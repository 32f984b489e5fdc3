/** One port in nmap's XML. */

import type { PortResult } from "../protocol/job.ts";
import { nmapState } from "./nmap-state.ts";
import { serviceOf } from "./service-of.ts";
import { escapeXml, tag } from "./xml-element.ts";

/** nmap's degree of trust in a service's name: read off the port number, or told by the service. */
const CONFIDENCE_OF_TABLE = 3;
const CONFIDENCE_OF_ANSWER = 10;

export type ReportedPort = Omit<PortResult, "observedAt">;

export function portElement(result: ReportedPort): string {
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

function serviceElement(result: ReportedPort): string {
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

/** Of a host that answers on every port. */
export function disbelief(suspicious: string): string {
  const output = "This host answers on every port, so its open ports are not to be believed.";
  return tag("hostscript", {}, tag("script", { id: suspicious, output }));
}
