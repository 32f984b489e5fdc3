/** What a job covers: a result from outside it is refused, whoever sends it. */

import { z } from "zod";
import { parseAddress } from "#shared/net/address.ts";
import { type AddressSet, containsAddress } from "#shared/net/address-set.ts";
import { parsePorts, type PortSet } from "#shared/net/port-spec.ts";
import { rangesContain } from "#shared/net/ranges.ts";
import { parseTargets } from "#shared/net/target-spec.ts";
import { jobTargetSchema, type PortResult } from "#shared/protocol/job.ts";
import { refusal } from "./refusal.ts";
import { readJson } from "./stored-json.ts";

interface ScopePart {
  readonly addresses: AddressSet;
  readonly ports: PortSet;
}

const targetsSchema = z.array(jobTargetSchema);

/** @throws PortolanError INVALID_REQUEST naming the first result that lies outside */
export function requireWithinScope(storedTargets: string, results: readonly PortResult[]): void {
  const scope: ScopePart[] = readJson(targetsSchema, storedTargets).map(({ addresses, ports }) => ({
    addresses: parseTargets(addresses),
    ports: parsePorts(ports),
  }));
  for (const { address, port, protocol } of results) {
    const named = parseAddress(address);
    const isWithin = scope.some(
      (part) =>
        named !== undefined &&
        containsAddress(part.addresses, named) &&
        rangesContain(part.ports[protocol], port),
    );
    if (!isWithin) {
      throw refusal("INVALID_REQUEST", `${address} port ${port}/${protocol} is not among the job's targets`, {
        address,
        port,
        protocol,
      });
    }
  }
}
