/** Which database a URL names. Nothing is opened here. */

import { UsageError } from "#shared/errors.ts";

export type DatabaseAddress =
  | { readonly kind: "postgres"; readonly url: string }
  /** `path` is a file, or `:memory:`. */
  | { readonly kind: "sqlite"; readonly path: string };

/**
 * @param text `postgres://…`, `postgresql://…`, `sqlite:PATH` or `:memory:`. A bare path is refused: a mistyped URL
 *   would pass for one, and an empty database would be made under its name.
 * @throws UsageError naming the text, without the password in it
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  if (/^postgres(?:ql)?:\/\/./.test(text) && URL.canParse(text)) return { kind: "postgres", url: text };
  if (text === ":memory:") return { kind: "sqlite", path: text };
  // `sqlite://x` is a path to some programs and a host to others.
  const path = /^sqlite:(?!\/\/)(.+)$/s.exec(text)?.[1];
  if (path !== undefined) return { kind: "sqlite", path };
  throw new UsageError(
    "USAGE",
    `'${withoutPassword(text)}' is no database for Portolan; write postgres://… or sqlite:PATH`,
  );
}

function withoutPassword(text: string): string {
  return text.replace(/^([a-z0-9+.-]*:)?.*@/is, "$1…@");
}
