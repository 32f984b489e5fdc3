/** A job's target as the engine's request. */

import { UsageError } from "#shared/errors.ts";
import { countAddresses, emptyAddressSet } from "#shared/net/address-set.ts";
import { countPorts, parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import type { Job, JobTarget } from "#shared/protocol/job.ts";
import type { ScanRequest } from "../engine/plan.ts";

const MAX_SEED = 2 ** 48;

/** How much a target is. */
export interface TargetSize {
  readonly addresses: number;
  readonly ports: number;
}

/** @throws UsageError INVALID_TARGET, INVALID_PORT */
export function sizeOfTarget(target: JobTarget): TargetSize {
  const addresses = probedAddresses(parseTargets(target.addresses), emptyAddressSet);
  return { addresses: countAddresses(addresses), ports: countPorts(parsePorts(target.ports)) };
}

/**
 * @param ratePps the limit that applies now; 0 is unlimited
 * @param leftMs time that the job has left
 * @throws UsageError INVALID_TARGET, INVALID_PORT, ENGINE_NOT_HERE
 */
export function scanRequestOf(job: Job, target: JobTarget, ratePps: number, leftMs: number): ScanRequest {
  const { engine, options } = job;
  if (engine === "nmap") {
    throw new UsageError("ENGINE_NOT_HERE", "this agent does not drive nmap; use the engine syn or connect");
  }
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
    maxRuntimeMs: Math.max(1, leftMs),
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
