/** JSON columns, read back through the schema they were written by. */

import type { z } from "zod";

/** @throws Error when the column does not hold what was written: the database was changed by hand */
export function readJson<T>(schema: z.ZodType<T>, text: string): T {
  return schema.parse(JSON.parse(text));
}
