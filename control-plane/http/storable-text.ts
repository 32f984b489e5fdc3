/**
 * Texts that no database keeps as they are: with NUL, which PostgreSQL has not, or with half a surrogate pair, which
 * is no character. Refused here for every operator's call, so that the schemas need not say it of each field.
 */

import type { MiddlewareHandler } from "hono";
import { refusal } from "../services/refusal.ts";
import type { AppEnv } from "./environment.ts";

/** Throws INVALID_REQUEST, naming the field. A body that is no JSON is left to whoever reads it. */
export const requireStorableText: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (/%00/.test(c.req.url)) throw refusal("INVALID_REQUEST", "the address holds a NUL character");
  if (c.req.header("content-type")?.startsWith("application/json")) {
    const path = unstorableText(parseOrUndefined(await c.req.text()));
    if (path !== undefined) {
      const message = "must not contain NUL or half characters";
      const issues = [{ path: path.join("."), message }];
      throw refusal("INVALID_REQUEST", path.length === 0 ? message : `${path.join(".")}: ${message}`, {
        issues,
      });
    }
  }
  await next();
};

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where the first such text is, a key's text included; undefined when there is none. */
function unstorableText(value: unknown): string[] | undefined {
  // Its own stack, as hostile JSON may be nested deeper than calls can be.
  const pending: { value: unknown; path: string[] }[] = [{ value, path: [] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { value: current, path } = next;
    if (typeof current === "string" && !isStorable(current)) return path;
    if (typeof current !== "object" || current === null) continue;
    for (const [key, inner] of Object.entries(current)) {
      if (!isStorable(key)) return path;
      pending.push({ value: inner, path: path.length < MAX_NAMED_DEPTH ? [...path, key] : path });
    }
  }
  return undefined;
}

const MAX_NAMED_DEPTH = 8;

function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0");
}
