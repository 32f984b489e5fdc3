/** Targets as the command line takes them, host names included, in one call. */

import { type SpecificationUse, type SplitTargets, TargetCollector } from "../target-collector.ts";
import { TargetFileReader } from "../target-file.ts";

export function collectWords(texts: readonly string[], use: SpecificationUse = "targets"): SplitTargets {
  const collector = new TargetCollector(use, true);
  for (const text of texts) collector.addText(text);
  return collector.take();
}

/** @param parts of one file */
export function collectFile(parts: readonly string[], use: SpecificationUse = "targets"): SplitTargets {
  const collector = new TargetCollector(use, true);
  const reader = new TargetFileReader(collector);
  for (const part of parts) reader.read(part);
  reader.end();
  return collector.take();
}
