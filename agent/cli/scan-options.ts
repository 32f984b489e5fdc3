/** Turns the words of `scan` into a request, or into an error that names the wrong word. */

import { UsageError } from "#shared/errors.ts";
import { parsePorts } from "#shared/net/port-spec.ts";
import { parseTargets, probedAddresses } from "#shared/net/target-spec.ts";
import { countRanges } from "#shared/net/ranges.ts";
import { MAX_RETRIES } from "#shared/protocol/limits.ts";
import { type PortState, portStateSchema } from "#shared/protocol/fields.ts";
import { LINK_NAMES, type LinkName, type ScanRequest } from "../engine/plan.ts";

/** As commander hands them over: every value is text. */
export interface ScanOptions {
  readonly ports: string;
  readonly rate: string;
  readonly exclude?: readonly string[];
  readonly retries: string;
  readonly portTimeout: string;
  readonly maxRuntime?: string;
  readonly link: string;
  readonly seed?: string;
  readonly show: string;
}

/** A terminal scan may go faster than a job: the network is the user's own business. */
const MAX_RATE_PPS = 10_000_000;
const MAX_SEED = 2 ** 48;

/** @throws UsageError naming the flag or token that is wrong */
export function scanRequest(targets: readonly string[], options: ScanOptions): ScanRequest {
  const named = parseTargets(targets);
  const addresses = probedAddresses(named, parseTargets(options.exclude ?? []));
  if (countRanges(addresses) === 0) {
    throw new UsageError(
      "NOTHING_TO_SCAN",
      "no address is left to scan: everything named is excluded, multicast or reserved",
    );
  }
  const ports = parsePorts(options.ports);
  if (ports.udp.length > 0) {
    throw new UsageError(
      "INVALID_PORT",
      `'${options.ports}' names UDP ports, and this scanner sends TCP only`,
    );
  }
  return {
    addresses,
    ports: ports.tcp,
    ratePps: options.rate === "max" ? 0 : numberOf("--rate", options.rate, 0.1, MAX_RATE_PPS, "or 'max'"),
    retries: wholeNumberOf("--retries", options.retries, 0, MAX_RETRIES),
    portTimeoutMs: wholeNumberOf("--port-timeout", options.portTimeout, 1, 60_000),
    maxRuntimeMs:
      options.maxRuntime === undefined
        ? undefined
        : numberOf("--max-runtime", options.maxRuntime, 0.001, 2_000_000) * 1_000,
    link: linkOf(options.link),
    seed:
      options.seed === undefined
        ? Math.floor(Math.random() * MAX_SEED)
        : wholeNumberOf("--seed", options.seed, 0, MAX_SEED),
    report: statesOf(options.show),
  };
}

function numberOf(flag: string, text: string, least: number, most: number, also = ""): number {
  const value = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    const bounds = `a number from ${least} to ${most}${also === "" ? "" : ` ${also}`}`;
    throw new UsageError("INVALID_OPTION", `${flag} must be ${bounds}, not '${text}'`);
  }
  return value;
}

function wholeNumberOf(flag: string, text: string, least: number, most: number): number {
  const value = numberOf(flag, text, least, most);
  if (!Number.isInteger(value)) {
    throw new UsageError("INVALID_OPTION", `${flag} must be a whole number, not '${text}'`);
  }
  return value;
}

function linkOf(text: string): LinkName {
  const link = LINK_NAMES.find((name) => name === text);
  if (link === undefined) {
    throw new UsageError("INVALID_OPTION", `--link must be one of ${LINK_NAMES.join(", ")}, not '${text}'`);
  }
  return link;
}

function statesOf(text: string): PortState[] {
  if (text === "all") return [...portStateSchema.options];
  return text.split(",").map((name) => {
    const state = portStateSchema.safeParse(name);
    if (state.success) return state.data;
    throw new UsageError("INVALID_OPTION", `--show takes open, closed, filtered or all, not '${name}'`);
  });
}
