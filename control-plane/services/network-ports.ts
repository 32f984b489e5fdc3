/**
 * Ports as networks of Open Port Monitor name them: without a protocol, which the network says for all of them. The
 * port list behind a network says it port by port.
 */

import { parsePorts } from "#shared/net/port-spec.ts";
import type { ScanProtocol } from "#shared/protocol/scan-templates.ts";
import { fieldError, readingField } from "./field-errors.ts";

const FIELD = "port_spec";

/**
 * The specification for the port list of a network.
 * @param mayExclude false with nmap, which takes no exclusions (feature table of Open Port Monitor)
 * @throws PortolanError INVALID_PORT naming the token that is wrong
 */
export function portListSpec(portSpec: string, protocol: ScanProtocol, mayExclude: boolean): string {
  const spec = portSpec.trim();
  for (const token of spec.split(/[\s,]+/)) {
    if (/[:/]/.test(token)) {
      const why = `'${token}' says a protocol; scan_protocol does that for all ports`;
      throw fieldError("INVALID_PORT", FIELD, token, why);
    }
    if (token.startsWith("!") && !mayExclude) {
      const why = `'${token}' leaves a port out, which scanner_type nmap does not support; use masscan`;
      throw fieldError("INVALID_PORT", FIELD, token, why);
    }
  }
  readingField(FIELD, () => parsePorts(spec));
  switch (protocol) {
    case "tcp":
      return spec;
    case "udp":
      return `U:${spec}`;
    case "both":
      return `T:${spec},U:${spec}`;
  }
}

/** The way back. A port list that was changed to say more than a network can is shown as it is. */
export function networkPortSpec(spec: string, protocol: ScanProtocol): string {
  if (protocol === "tcp") return spec;
  const length = protocol === "udp" ? spec.length - "U:".length : (spec.length - "T:,U:".length) / 2;
  const candidate = spec.slice("U:".length, "U:".length + length);
  const written = protocol === "udp" ? `U:${candidate}` : `T:${candidate},U:${candidate}`;
  return written === spec ? candidate : spec;
}
