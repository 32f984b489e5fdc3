/** Reads a list of targets or exclusions from a file or a pipe, piece by piece: never the whole of it in memory. */

import { open } from "node:fs/promises";
import { errorMessage, UsageError } from "#shared/errors.ts";
import type { TargetCollector } from "#shared/net/target-collector.ts";
import { TargetFileReader } from "#shared/net/target-file.ts";
import { refuse } from "./option-values.ts";

/** Of one list: some four million addresses. */
const MAX_LIST_BYTES = 64 * 1_048_576;
const PIECE_BYTES = 64 * 1_024;

/**
 * @param collector takes the words
 * @throws UsageError naming file, line and word that are wrong; FILE_NOT_READABLE
 */
export async function readTargetFile(path: string, collector: TargetCollector): Promise<void> {
  await readTargetList(piecesOf(path), path, collector);
}

/**
 * @param source as messages name it
 * @throws UsageError naming source, line and word that are wrong
 */
export async function readTargetList(
  pieces: AsyncIterable<Uint8Array>,
  source: string,
  collector: TargetCollector,
): Promise<void> {
  const reader = new TargetFileReader(collector);
  const decoder = new TextDecoder();
  let bytes = 0;
  try {
    for await (const piece of pieces) {
      bytes += piece.length;
      if (bytes > MAX_LIST_BYTES) tooLong(source);
      reader.read(decoder.decode(piece, { stream: true }));
    }
    reader.read(decoder.decode());
    reader.end();
  } catch (error) {
    if (!(error instanceof UsageError) || error.details?.line === undefined) throw error;
    throw new UsageError(error.code, `${source}, ${error.message}`, { cause: error });
  }
}

/** Each piece is gone when the next is asked for. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    await using file = await open(path);
    const buffer = new Uint8Array(PIECE_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (cause) {
    throw new UsageError("FILE_NOT_READABLE", `cannot read ${path}: ${errorMessage(cause)}`, { cause });
  }
}

function tooLong(source: string): never {
  return refuse(
    `${source} is longer than ${MAX_LIST_BYTES / 1_048_576} MiB; name networks instead of single addresses`,
  );
}
