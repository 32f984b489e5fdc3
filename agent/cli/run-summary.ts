/** The file of `--summary`: every parameter that makes a run what it was, and every counter of how it went. */

import { formatPorts } from "#shared/net/port-spec.ts";
import { formatIpv4 } from "#shared/net/ipv4.ts";
import { formatIpv6 } from "#shared/net/ipv6.ts";
import { addressTexts } from "#shared/net/target-spec.ts";
import type { ScanSummary } from "#shared/protocol/job.ts";
import type { ScanRequest } from "../engine/plan.ts";
import type { RunDescription } from "../output/report-writer.ts";
import { joined, jsonPieces } from "./json-pieces.ts";

const INDENT = 2;

/** JSON in pieces, the summary's own fields beside the rest. */
export function runSummaryPieces(
  run: RunDescription,
  request: ScanRequest,
  summary: ScanSummary,
): Iterable<string> {
  const texts = addressTexts(request.addresses).map((text) => JSON.stringify(text));
  return jsonPieces((targets) => summaryDocument(run, request, summary, targets), listOf(texts), INDENT);
}

/** As `JSON.stringify` writes a list at this place. */
function* listOf(elements: Iterable<string>): Generator<string> {
  const [inside, outside] = [3, 2].map((depth) => `\n${" ".repeat(depth * INDENT)}`);
  yield `[${inside}`;
  yield* joined(elements, `,${inside}`);
  yield `${outside}]`;
}

function summaryDocument(
  run: RunDescription,
  request: ScanRequest,
  summary: ScanSummary,
  targets: string,
): object {
  const { sourceAddresses } = request;
  return {
    version: run.version,
    command: run.commandLine,
    startedAt: new Date(run.startedAtMs).toISOString(),
    endedAt: new Date(run.startedAtMs + summary.durationMs).toISOString(),
    parameters: {
      find: request.find,
      targets,
      tcpPorts: formatPorts({ tcp: request.tcpPorts, udp: [] }),
      udpPorts: formatPorts({ tcp: request.udpPorts, udp: [] }),
      ratePps: request.ratePps,
      maxRatePerHostPps: request.maxRatePerHostPps,
      maxRatePerNetworkPps: request.maxRatePerNetworkPps,
      retries: request.retries,
      portTimeoutMs: request.portTimeoutMs,
      cooldownMs: request.cooldownMs ?? request.portTimeoutMs,
      maxRuntimeMs: request.maxRuntimeMs,
      link: request.link,
      seed: request.seed,
      shard: `${request.shard.index + 1}/${request.shard.count}`,
      senders: request.senders,
      resumed: request.resume !== undefined,
      report: request.report,
      interface: request.interfaceName,
      sourceIpv4: sourceAddresses.v4 === undefined ? undefined : formatIpv4(sourceAddresses.v4),
      sourceIpv6: sourceAddresses.v6 === undefined ? undefined : formatIpv6(sourceAddresses.v6),
      sourcePort: request.sourcePort,
      gatewayMac: request.gatewayMac?.toHex().replaceAll(/..(?=.)/g, "$&:"),
      pcap: request.capturePath,
    },
    ...summary,
  };
}
