/** Which addresses to scan: words, files, standard input and host names, less what is excluded. */

import { errorMessage, UsageError } from "#shared/errors.ts";
import { type AddressSet, countAddresses, unionAddresses } from "#shared/net/address-set.ts";
import { parseTargetFile } from "#shared/net/target-file.ts";
import { probedAddresses, type SpecificationUse, splitTargets } from "#shared/net/target-spec.ts";
import { resolveHostnames } from "../host/resolve.ts";
import type { CliContext } from "./context.ts";
import { refuse } from "./option-values.ts";
import type { ScanFlags } from "./scan-flags.ts";

/** Text of one list of targets: some four million addresses. */
const MAX_LIST_BYTES = 64 * 1_048_576;

/**
 * @returns undefined where nothing names a target
 * @throws UsageError naming the word, flag or file that is wrong
 */
export async function readTargets(
  words: readonly string[],
  flags: ScanFlags,
  context: Pick<CliContext, "readStdin" | "stdinIsTerminal">,
): Promise<AddressSet | undefined> {
  const named = words.filter((word) => word !== "-");
  const isAsked = named.length < words.length;
  const files = flags.targetsFile ?? [];
  let targets = [...named, ...(await wordsOfFiles(files, "targets"))];
  if (isAsked && context.stdinIsTerminal)
    refuse("'-' reads targets from standard input, which is a terminal here");
  // Targets piped in need no word that says so; without any, whoever waits for them would wait for ever.
  if (
    isAsked ||
    (words.length + files.length === 0 && flags.resume === undefined && !context.stdinIsTerminal)
  ) {
    targets = targets.concat(wordsOfList(await context.readStdin(), "targets", "standard input"));
  }
  if (targets.length === 0) return undefined;
  const exclusions = [
    ...(flags.exclude ?? []),
    ...(await wordsOfFiles(flags.excludeFile ?? [], "exclusions")),
  ];
  const addresses = probedAddresses(
    await resolved(targets, "targets", familyOf(flags)),
    await resolved(exclusions, "exclusions", undefined),
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

async function wordsOfFiles(paths: readonly string[], use: SpecificationUse): Promise<string[]> {
  // Joined, not spread into a call: a list may have more words than a call takes arguments.
  const lists: string[][] = [];
  for (const path of paths) lists.push(wordsOfList(await readText(path), use, path));
  return lists.flat();
}

async function readText(path: string): Promise<string> {
  try {
    const file = Bun.file(path);
    if (file.size > MAX_LIST_BYTES && Number.isFinite(file.size)) return tooLong(path);
    return await file.text();
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError("FILE_NOT_READABLE", `cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

/** @throws UsageError naming source, line and word */
function wordsOfList(text: string, use: SpecificationUse, source: string): string[] {
  if (text.length > MAX_LIST_BYTES) tooLong(source);
  try {
    return parseTargetFile(text, use);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.code, `${source}, ${error.message}`, { cause: error });
  }
}

function tooLong(source: string): never {
  return refuse(
    `${source} is longer than ${MAX_LIST_BYTES / 1_048_576} MiB; name networks instead of single addresses`,
  );
}

async function resolved(
  words: readonly string[],
  use: SpecificationUse,
  family: 4 | 6 | undefined,
): Promise<AddressSet> {
  const { addresses, hostnames } = splitTargets(words, use);
  return unionAddresses(addresses, (await resolveHostnames(hostnames, family)).addresses);
}
