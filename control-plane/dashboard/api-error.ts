/** A call of the API that failed, and which field of a form it is about. */

import { z } from "zod";

/** The code of a call that got no answer, or none of ours. */
export const UNREACHABLE = "UNREACHABLE";

const issuesSchema = z.object({ issues: z.array(z.object({ path: z.string(), message: z.string() })) });

/** Fields that a code is about, where the answer does not name them. */
const FIELD_OF_CODE: Readonly<Record<string, string>> = {
  INVALID_TARGET: "targets",
  SCOPE_TOO_LARGE: "targets",
  INVALID_PORT: "ports",
};

/** Asking again in the same way is answered in the same way. */
const FINAL_CODES = new Set(["INVALID_REQUEST", "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND"]);

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly details: unknown;

  constructor(code: string, message: string, details?: unknown) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get isFinal(): boolean {
    return FINAL_CODES.has(this.code);
  }
}

/** What went wrong, by the form's field; what is about none of them is under `form`. */
export type FormErrors = Readonly<Record<string, string>>;

/** @param fields names of the form's fields, as in the request: `targets` is also told about `targets.3` */
export function formErrors(error: unknown, fields: readonly string[]): FormErrors {
  if (!(error instanceof ApiError)) throw error;
  const field = FIELD_OF_CODE[error.code];
  if (field !== undefined && fields.includes(field)) return { [field]: error.message };
  const parsed = issuesSchema.safeParse(error.details);
  if (!parsed.success) return { form: error.message };
  const errors: Record<string, string> = {};
  for (const { path, message } of parsed.data.issues) {
    const [first = ""] = path.split(".");
    if (fields.includes(first)) errors[first] ??= message;
    else errors["form"] ??= error.message;
  }
  return errors;
}
