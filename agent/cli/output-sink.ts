/** Where results go: standard output, or a file. Writing waits until the text was taken. */

import { type FileHandle, open } from "node:fs/promises";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import type { TextOutput } from "./context.ts";

export interface OutputSink {
  /** False when the reader has gone away. @throws PortolanError OUTPUT_FAILED, as where a disk is full */
  write(data: string | Uint8Array): Promise<boolean>;
  close(): Promise<void>;
}

/** Standard output, which stays open. */
export function outputSink(output: TextOutput): OutputSink {
  return { write: (data) => output.write(data), close: async () => undefined };
}

/** @throws UsageError FILE_NOT_WRITABLE, before anything is scanned: an hour of work must not end there */
export async function fileSink(path: string): Promise<OutputSink> {
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (cause) {
    throw new UsageError("FILE_NOT_WRITABLE", `cannot write ${path}: ${errorMessage(cause)}`, { cause });
  }
  return {
    async write(data) {
      try {
        await file.writeFile(data);
        return true;
      } catch (cause) {
        throw new PortolanError("OUTPUT_FAILED", `cannot write ${path}: ${errorMessage(cause)}`, { cause });
      }
    },
    close: () => file.close(),
  };
}
