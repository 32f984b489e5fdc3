/** Which addresses to scan: words, files, standard input and host names, less what is excluded. */

import { UsageError } from "#shared/errors.ts";
import { type AddressSet, countAddresses, unionAddresses } from "#shared/net/address-set.ts";
import { type SpecificationUse, type SplitTargets, TargetCollector } from "#shared/net/target-collector.ts";
import { probedAddresses } from "#shared/net/target-spec.ts";
import { resolveHostnames } from "../host/resolve.ts";
import type { CliContext } from "./context.ts";
import { refuse } from "./option-values.ts";
import type { ScanFlags } from "./scan-flags.ts";
import { readTargetFile, readTargetList } from "./target-list.ts";

/**
 * @returns undefined where nothing names a target
 * @throws UsageError naming the word, flag or file that is wrong
 */
export async function readTargets(
  words: readonly string[],
  flags: ScanFlags,
  context: Pick<CliContext, "stdin" | "stdinIsTerminal">,
): Promise<AddressSet | undefined> {
  const named = words.filter((word) => word !== "-");
  const isAsked = named.length < words.length;
  const files = flags.targetsFile ?? [];
  const family = familyOf(flags);
  const targets = await collect("targets", named, files);
  if (isAsked && context.stdinIsTerminal)
    refuse("'-' reads targets from standard input, which is a terminal here");
  // Targets piped in need no word that says so; without any, whoever waits for them would wait for ever.
  if (
    isAsked ||
    (words.length + files.length === 0 && flags.resume === undefined && !context.stdinIsTerminal)
  ) {
    await readTargetList(context.stdin(), "standard input", targets);
  }
  const asked = targets.take();
  if (countAddresses(asked.addresses) + asked.hostnames.length === 0) return undefined;
  const exclusions = await collect("exclusions", flags.exclude ?? [], flags.excludeFile ?? []);
  const addresses = probedAddresses(
    await resolved(asked, family),
    await resolved(exclusions.take(), undefined),
  );
  if (countAddresses(addresses) === 0) {
    throw new UsageError(
      "NOTHING_TO_SCAN",
      "no address is left to scan: everything named is excluded, multicast or reserved",
    );
  }
  return addresses;
}

function familyOf({ ipv4, ipv6 }: ScanFlags): 4 | 6 | undefined {
  if (ipv4 === true && ipv6 === true)
    refuse("-4 and -6 exclude each other; without them host names give both families");
  return ipv4 === true ? 4 : ipv6 === true ? 6 : undefined;
}

async function collect(
  use: SpecificationUse,
  words: readonly string[],
  paths: readonly string[],
): Promise<TargetCollector> {
  const collector = new TargetCollector(use, true);
  for (const word of words) collector.addText(word);
  for (const path of paths) await readTargetFile(path, collector);
  return collector;
}

async function resolved(
  { addresses, hostnames }: SplitTargets,
  family: 4 | 6 | undefined,
): Promise<AddressSet> {
  return unionAddresses(addresses, (await resolveHostnames(hostnames, family)).addresses);
}
