/** `POST /scanner/results`: results by scan, without lease and batch number, for scanners of the older protocol. */

import { z } from "zod";
import { idSchema } from "./fields.ts";
import { portResultSchema } from "./job.ts";
import { MAX_RESULTS_PER_BATCH } from "./limits.ts";

export const legacyResultsRequestSchema = z.object({
  scanId: idSchema,
  results: z.array(portResultSchema).max(MAX_RESULTS_PER_BATCH),
  /** True: these were the last. */
  complete: z.boolean().default(false),
});
export type LegacyResultsRequest = z.infer<typeof legacyResultsRequestSchema>;
