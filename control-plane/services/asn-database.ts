/**
 * In which autonomous system an address is, from a file in MaxMind DB format (GeoLite2-ASN, GeoIP2-ISP and their like).
 * The file is read at the start, and again when it has changed: such files are replaced every few days.
 */

import { readFile, stat } from "node:fs/promises";
import { type AsnResponse, Reader } from "mmdb-lib";
import { z } from "zod";
import { errorMessage, UsageError } from "#shared/errors.ts";
import type { Log } from "#shared/log.ts";
import { type Address, formatAddress } from "./network.ts";

/** Between the tree and the data. */
const SEPARATOR_BYTES = 16;

const metadataSchema = z.object({
  databaseType: z.string().regex(/ASN|ISP|Enterprise/i),
  ipVersion: z.union([z.literal(4), z.literal(6)]),
  nodeCount: z.int().min(1),
  searchTreeSize: z.int().min(1),
});

const recordSchema = z.object({ autonomous_system_number: z.int().min(1) });

/** Which state of the file was looked at. */
interface FileState {
  readonly mtimeMs: number;
  readonly sizeBytes: number;
}

export class AsnDatabase {
  private readonly path: string;
  private readonly log: Log;
  private reader: Reader<AsnResponse>;
  private state: FileState;

  private constructor(path: string, log: Log, reader: Reader<AsnResponse>, state: FileState) {
    this.path = path;
    this.log = log;
    this.reader = reader;
    this.state = state;
  }

  /** @throws UsageError ASN_DATABASE_UNREADABLE saying what is wrong with the file */
  static async open(path: string, log: Log): Promise<AsnDatabase> {
    const state = await fileState(path);
    return new AsnDatabase(path, log, await readDatabase(path), state);
  }

  /**
   * Reads the file again if it has changed, or in any case. One that cannot be used is logged, and the former goes on
   * serving.
   */
  async refresh(when: "changed" | "always" = "changed"): Promise<void> {
    try {
      const state = await fileState(this.path);
      const isSame = state.mtimeMs === this.state.mtimeMs && state.sizeBytes === this.state.sizeBytes;
      if (isSame && when === "changed") return;
      // Remembered before it is read: a damaged file is told of once, and not at every lookup.
      this.state = state;
      this.reader = await readDatabase(this.path);
      this.log.info("asn-database.loaded", `The ASN database was read again from ${this.path}`);
    } catch (error) {
      this.log.error("asn-database.unreadable", `${errorMessage(error)}; the former one stays in use`);
    }
  }

  /** The number of the system, or undefined where the file has none for the address. */
  async lookup(address: Address): Promise<number | undefined> {
    await this.refresh();
    if (address.family === 6 && this.reader.metadata.ipVersion === 4) return undefined;
    try {
      const record = recordSchema.safeParse(this.reader.get(formatAddress(address)));
      return record.data?.autonomous_system_number;
    } catch (error) {
      this.log.error("asn-database.damaged", `A lookup in ${this.path} failed: ${errorMessage(error)}`);
      return undefined;
    }
  }
}

async function fileState(path: string): Promise<FileState> {
  try {
    const { mtimeMs, size } = await stat(path);
    return { mtimeMs, sizeBytes: size };
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function readDatabase(path: string): Promise<Reader<AsnResponse>> {
  let reader: Reader<AsnResponse>;
  let sizeBytes: number;
  try {
    const bytes = await readFile(path);
    sizeBytes = bytes.length;
    reader = new Reader<AsnResponse>(bytes);
  } catch (error) {
    throw unreadable(path, error);
  }
  const metadata = metadataSchema.safeParse(reader.metadata);
  if (!metadata.success) {
    throw unreadable(path, new Error("its description is not that of a database of autonomous systems"));
  }
  if (metadata.data.searchTreeSize + SEPARATOR_BYTES > sizeBytes) {
    throw unreadable(path, new Error("it is cut off"));
  }
  return reader;
}

function unreadable(path: string, cause: unknown): UsageError {
  return new UsageError(
    "ASN_DATABASE_UNREADABLE",
    `cannot use ${path} as an ASN database (MaxMind DB format): ${errorMessage(cause)}`,
    { cause },
  );
}
