/**
 * The file that an interrupted scan leaves, and that `--resume` takes up: what the scan was, word for word canonical, the
 * flags it ran with, and where it stood. It names targets and what answered, so only its owner may read it.
 */

import { open, rename, unlink } from "node:fs/promises";
import { z } from "zod";
import { errorMessage, UsageError } from "#shared/errors.ts";
import { formatPorts, parsePorts } from "#shared/net/port-spec.ts";
import { addressTexts, parseTargets } from "#shared/net/target-spec.ts";
import { MAX_RETRIES } from "#shared/protocol/limits.ts";
import type { ResumePoint } from "../engine/plan.ts";
import { joined, jsonPieces } from "./json-pieces.ts";
import type { TunableFlags } from "./scan-flags.ts";
import type { ScanScope } from "./scan-options.ts";

/** The answered set of a large scan in base64, and a million targets beside it. */
export const MAX_RESUME_FILE_BYTES = 256 * 1_048_576;
const MAX_LANES = 1_024;
const MAX_COUNTERS = 1_024;

const word = z.string().max(1_000).optional();
const position = z
  .int()
  .min(0)
  .max(2 ** 48);

const tunableSchema = z.strictObject({
  show: word,
  rate: word,
  maxRatePerHost: word,
  maxRatePerNetwork: word,
  portTimeout: word,
  cooldown: word,
  maxRuntime: word,
  link: word,
  senders: word,
  interface: word,
  sourceIp: z.array(z.string().max(1_000)).max(2).readonly().optional(),
  sourcePort: word,
  gatewayMac: word,
}) satisfies z.ZodType<TunableFlags>;

const resumeFileSchema = z.strictObject({
  kind: z.literal("portolan-resume"),
  version: z.literal(1),
  savedAt: z.iso.datetime(),
  scan: z.strictObject({
    find: z.enum(["ports", "hosts"]),
    /** One text, split by commas: a million texts would take ten times its memory. */
    targets: z.string().min(1).max(MAX_RESUME_FILE_BYTES),
    /** Empty where hosts are looked for. */
    ports: z.string().max(1_000_000),
    retries: z.int().min(0).max(MAX_RETRIES),
    seed: position,
    shard: z
      .strictObject({ index: z.int().min(0), count: z.int().min(1).max(1_000_000) })
      .refine(({ index, count }) => index < count, "no such shard"),
  }),
  flags: tunableSchema,
  point: z.strictObject({
    window: position,
    pass: z
      .int()
      .min(1)
      .max(MAX_RETRIES + 1),
    lanePositions: z.array(position).min(1).max(MAX_LANES),
    kept: z.array(z.number().min(0)).max(MAX_COUNTERS),
    refused: position,
    withheld: position,
    /** Base64. */
    answered: z.string(),
  }),
});

export interface ResumedScan {
  readonly scope: ScanScope;
  readonly flags: TunableFlags;
  readonly point: ResumePoint;
}

/** A name that sorts by time: `portolan-20260127T103000Z.resume.json`. */
export function resumeFileName(nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/\.\d+/, "").replaceAll(/[-:]/g, "");
  return `portolan-${time}.resume.json`;
}

/**
 * Writes the file whole or not at all.
 * @throws Error of the file system
 */
export async function writeResumeFile(path: string, resumed: ResumedScan, nowMs: number): Promise<void> {
  const unfinished = `${path}.${crypto.randomUUID()}`;
  const file = await open(unfinished, "wx", 0o600);
  try {
    const targets = joined(addressTexts(resumed.scope.addresses), ",");
    // Canonical texts of addresses have nothing that a JSON string must escape.
    const pieces = jsonPieces((text) => contentOf(resumed, text, nowMs), quoted(targets));
    for (const piece of pieces) await file.writeFile(piece);
    await file.sync();
    await file.close();
    await rename(unfinished, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await unlink(unfinished).catch(() => undefined);
    throw error;
  }
}

function* quoted(parts: Iterable<string>): Generator<string> {
  yield '"';
  yield* parts;
  yield '"';
}

function contentOf(
  { scope, flags, point }: ResumedScan,
  targets: string,
  nowMs: number,
): z.infer<typeof resumeFileSchema> {
  return {
    kind: "portolan-resume",
    version: 1,
    savedAt: new Date(nowMs).toISOString(),
    scan: {
      find: scope.find,
      targets,
      ports: formatPorts({ tcp: scope.tcpPorts, udp: scope.udpPorts }),
      retries: scope.retries,
      seed: scope.seed,
      shard: scope.shard,
    },
    flags: tunableSchema.strip().parse(flags),
    point: {
      window: point.window,
      pass: point.pass,
      lanePositions: [...point.lanePositions],
      kept: [...point.kept],
      refused: point.refused,
      withheld: point.withheld,
      answered: Buffer.from(point.answered).toString("base64"),
    },
  };
}

/** @throws UsageError FILE_NOT_READABLE or INVALID_RESUME_FILE */
export async function readResumeFile(path: string): Promise<ResumedScan> {
  const { scan, flags, point } = parse(path, await readText(path));
  const ports = scan.ports === "" ? { tcp: [], udp: [] } : parsePorts(scan.ports);
  if ((scan.find === "ports") === (scan.ports === ""))
    throw invalid(path, "its ports do not fit what it looks for");
  if (point.pass > scan.retries + 1) throw invalid(path, "it stands in a pass that the scan does not have");
  return {
    scope: {
      addresses: parseTargets([scan.targets]),
      find: scan.find,
      tcpPorts: ports.tcp,
      udpPorts: ports.udp,
      retries: scan.retries,
      seed: scan.seed,
      shard: scan.shard,
    },
    flags: tunableSchema.strip().parse(flags),
    point: {
      window: point.window,
      pass: point.pass,
      lanePositions: point.lanePositions,
      kept: point.kept,
      refused: point.refused,
      withheld: point.withheld,
      answered: bytesOf(path, point.answered),
    },
  };
}

async function readText(path: string): Promise<string> {
  const file = Bun.file(path);
  if (file.size > MAX_RESUME_FILE_BYTES) throw invalid(path, "it is too large");
  try {
    return await file.text();
  } catch (cause) {
    throw new UsageError("FILE_NOT_READABLE", `cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function parse(path: string, text: string): z.infer<typeof resumeFileSchema> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    throw invalid(path, "it is no JSON", cause);
  }
  const { success, data, error } = resumeFileSchema.safeParse(content);
  if (success) return data;
  const [issue] = error.issues;
  throw invalid(path, issue === undefined ? "" : `${issue.path.join(".") || "it"}: ${issue.message}`, error);
}

function bytesOf(path: string, base64: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(base64);
  } catch (cause) {
    throw invalid(path, "point.answered: no base64", cause);
  }
}

function invalid(path: string, why: string, cause?: unknown): UsageError {
  return new UsageError("INVALID_RESUME_FILE", `${path} is no file to resume from: ${why}`, { cause });
}
