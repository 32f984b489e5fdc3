/** A job's target as the engine's request. */

import { emptyAddressSet } from "#shared/net/address-set.ts";
import { parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { Job, JobTarget } from "#shared/protocol/job.ts";
import type { ScanRequest } from "../engine/plan.ts";

const MAX_SEED = 2 ** 48;

/**
 * @param ratePps the limit that applies now; 0 is unlimited
 * @param elapsedMs time that the job has used already
 * @throws UsageError INVALID_TARGET, INVALID_PORT
 */
export function scanRequestOf(job: Job, target: JobTarget, ratePps: number, elapsedMs: number): ScanRequest {
  const { engine, options } = job;
  const ports = parsePorts(target.ports);
  return {
    addresses: probedAddresses(parseTargets(target.addresses), emptyAddressSet),
    find: "ports",
    tcpPorts: ports.tcp,
    udpPorts: ports.udp,
    ratePps,
    maxRatePerHostPps: 0,
    maxRatePerNetworkPps: 0,
    retries: options.retries,
    portTimeoutMs: options.portTimeoutMs,
    cooldownMs: undefined,
    quietMs: undefined,
    maxRuntimeMs: Math.max(1, options.scanTimeoutSeconds * 1_000 - elapsedMs),
    link: engine === "connect" ? "connect" : "auto",
    seed: Math.floor(Math.random() * MAX_SEED),
    shard: { index: 0, count: 1 },
    senders: undefined,
    resume: undefined,
    report: options.reportStates,
    interfaceName: undefined,
    sourceAddresses: { v4: undefined, v6: undefined },
    sourcePort: undefined,
    gatewayMac: undefined,
    capturePath: undefined,
  };
}
