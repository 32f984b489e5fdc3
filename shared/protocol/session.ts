/** `/api/session`: how a browser shows its operator's token once, and is known by a cookie from then on. */

import { z } from "zod";
import { operatorRoleSchema } from "./administration.ts";
import { timestampSchema } from "./fields.ts";

/** `POST /api/session` */
export const sessionCreateRequestSchema = z.strictObject({ token: z.string().min(1).max(200) });

/** `GET /api/session`. Without a session everything is null: to ask is no failure. */
export const sessionViewSchema = z.object({
  operator: z.object({ name: z.string(), role: operatorRoleSchema }).nullable(),
  /** The operator signs in again after this. */
  expiresAt: timestampSchema.nullable(),
});
export type SessionView = z.infer<typeof sessionViewSchema>;
