/** Wrong fields of a request, under the names that the user knows: an option or an argument, not a field of JSON. */

import { z } from "zod";

/** Field of the request → what was typed: `{ reportStates: "--report" }`. */
export type TypedNames = Readonly<Record<string, string>>;

/** The details of INVALID_REQUEST. */
const issuesSchema = z.object({
  issues: z.array(z.object({ path: z.string(), message: z.string() })).min(1),
});

/** @returns undefined when the error is not about a field that was typed */
export function inWordsOfTheCaller(details: unknown, names: TypedNames): string | undefined {
  const [issue] = issuesSchema.safeParse(details).data?.issues ?? [];
  if (issue === undefined) return undefined;
  const [field = ""] = issue.path.split(".", 1);
  const name = Object.hasOwn(names, field) ? names[field] : undefined;
  return name === undefined ? undefined : `${name}: ${issue.message}`;
}
