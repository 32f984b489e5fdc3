/** What the resources of the catalogue share: names, descriptions, references, and how lists are asked for. */

import { z } from "zod";
import { idSchema, pageQuerySchema, rateSchema, timestampSchema } from "./fields.ts";
import {
  MAX_ASSIGNED_GROUPS,
  MAX_ASSIGNED_SCANNERS,
  MAX_CATALOGUE_NAME_LENGTH,
  MAX_DESCRIPTION_LENGTH,
} from "./limits.ts";

/** Control characters, line and paragraph separators, and halves of surrogate pairs. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;

/** PostgreSQL keeps no NUL in a text, and half a surrogate pair is no character. */
const UNSTORABLE = /[\0\p{Cs}]/u;

/** Any text on one line, kept as it is written: nothing in it means anything to us. */
export const catalogueNameSchema = z
  .string()
  .min(1)
  .max(MAX_CATALOGUE_NAME_LENGTH)
  .refine((name) => !UNPRINTABLE.test(name), "must be printable text on one line")
  .refine((name) => name.trim() === name, "must not begin or end with white space");

export const descriptionSchema = z
  .string()
  .max(MAX_DESCRIPTION_LENGTH)
  .refine((text) => !UNSTORABLE.test(text), "must not contain NUL or half characters");

/** Scanners that stand for each other: any of them may scan it, as one vantage point. */
export const assignedScannersSchema = z.array(idSchema).max(MAX_ASSIGNED_SCANNERS);

/** Groups each of whose members scans it, as a vantage point of its own. */
export const assignedGroupsSchema = z.array(idSchema).max(MAX_ASSIGNED_GROUPS);

/** What every view has. */
export const catalogueViewFields = {
  id: idSchema,
  name: catalogueNameSchema,
  description: descriptionSchema,
  createdBy: z.string(),
  createdAt: timestampSchema,
  updatedAt: timestampSchema,
};

/** Limit of what may be sent to it, over all scanners together; 0 means unlimited. */
export const sharedRateSchema = rateSchema;

/** Rows whose name contains `q`, in any case of letters, by id. */
export const catalogueQuerySchema = pageQuerySchema.extend({
  q: z
    .string()
    .max(MAX_CATALOGUE_NAME_LENGTH)
    .refine((text) => !UNSTORABLE.test(text), "must not contain NUL or half characters")
    .optional(),
});
export type CatalogueQuery = z.output<typeof catalogueQuerySchema>;

/** Give it as `cursor` for the next page; null on the last. */
export const nextCursorSchema = z.int().nullable();

/** What refers to an object that therefore cannot be deleted, in `details.usedBy` of IN_USE. */
export interface UsedBy {
  readonly kind: "subnet" | "discovery-list" | "scanner-group" | "scan-template" | "network" | "schedule";
  readonly id: number;
  readonly name: string;
}
