/** A result on a line of its own, for people who watch a scan whose report comes at the end. */

import type { HostResult, PortResult } from "#shared/protocol/job.ts";
import { nmapState } from "#shared/output/nmap-state.ts";
import { serviceOf } from "#shared/output/service-of.ts";
import { type Paint, styleOfState } from "./terminal-style.ts";
import { visibleText } from "#shared/output/visible-text.ts";

export function livePortLine(result: PortResult, paint: Paint): string {
  const state = nmapState(result);
  const service = serviceOf(result);
  const what = `${result.port}/${result.protocol}${service === undefined ? "" : ` (${visibleText(service)})`}`;
  return `${paint(styleOfState(state), state)} ${what} on ${result.address}\n`;
}

export function liveHostLine({ address, state, reason, suspicious }: HostResult, paint: Paint): string {
  if (suspicious !== undefined) return `${paint("yellow", "warning")} ${address} answers on every port\n`;
  return `${paint(state === "up" ? "green" : "red", state)} ${address} (${visibleText(reason)})\n`;
}
