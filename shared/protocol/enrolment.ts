/** `/api/config/enrolment-tokens`: group tokens by which many hosts make themselves scanners, to be approved one by one. */

import { z } from "zod";
import { idSchema, rateSchema, scannerNameSchema, timestampSchema } from "./fields.ts";
import { MAX_ENROLMENT_TTL_SECONDS, MAX_ENROLMENT_USES } from "./limits.ts";
import { bindingModeSchema } from "./operator.ts";

export const enrolmentTokenSchema = z.object({
  id: idSchema,
  name: scannerNameSchema,
  /** What the scanners get that enrol themselves with it. */
  bindingMode: bindingModeSchema,
  rateLimit: rateSchema,
  maxUses: z.int().positive(),
  uses: z.int().min(0),
  /** Whether another host can use it now. */
  status: z.enum(["usable", "used-up", "expired"]),
  createdBy: z.string(),
  createdAt: timestampSchema,
  expiresAt: timestampSchema,
  lastUsedAt: timestampSchema.nullable(),
});
export type EnrolmentToken = z.infer<typeof enrolmentTokenSchema>;

export const enrolmentTokenListSchema = z.object({ enrolmentTokens: z.array(enrolmentTokenSchema) });

/** `POST /api/config/enrolment-tokens` */
export const enrolmentTokenCreateRequestSchema = z.strictObject({
  name: scannerNameSchema,
  expiresInSeconds: z.int().min(60).max(MAX_ENROLMENT_TTL_SECONDS).default(86_400),
  /** Hosts that may use it. */
  maxUses: z.int().min(1).max(MAX_ENROLMENT_USES).default(100),
  bindingMode: bindingModeSchema.default("none"),
  rateLimit: rateSchema.default(0),
});
export type EnrolmentTokenCreateRequest = z.infer<typeof enrolmentTokenCreateRequestSchema>;

export const enrolmentTokenCreateResponseSchema = z.object({
  enrolmentToken: enrolmentTokenSchema,
  /** Shown this once. */
  token: z.string(),
  /** The one line to run on every host. */
  installCommand: z.string(),
});
export type EnrolmentTokenCreateResponse = z.infer<typeof enrolmentTokenCreateResponseSchema>;
