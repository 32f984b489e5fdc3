/** Values that fit a schema in form and are hostile in what they say: SQL, script, control characters, extremes. */

import * as fc from "fast-check";
import { choicesOf, isJson, type Samples, typesOf } from "./sample-values.ts";

/** What breaks a program that pastes texts together, or reads them where it should only keep them. */
export const HOSTILE_TEXTS: readonly string[] = [
  "' or '1'='1",
  "'; drop table scanners; --",
  '"); delete from scans where ("1"="1',
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "${process.exit(1)}",
  "{{constructor.constructor('return this')()}}",
  "$(reboot)",
  "`reboot`",
  "; reboot #",
  "../../../etc/passwd",
  "%00%0d%0aSet-Cookie:x=1",
  "\r\nX-Injected: 1",
  "\0",
  "a\0b",
  "\ud800",
  "\u202egnp.exe",
  "\u0001\u001b[31m",
  "__proto__",
  "constructor",
  "NaN",
  "-1",
  "1e400",
  "0x7f000001",
  "ÄÖÜ ß 漢字 🧭",
  "%",
  "_%_",
  "\\",
  "x".repeat(5_000),
  "",
];

const DEPTH = 6;

/** Values for the schema: of the right type, with hostile texts and extreme numbers. */
export function hostileValue(samples: Samples, schema: unknown, depth = DEPTH): fc.Arbitrary<unknown> {
  const resolved = samples.resolve(schema);
  const { enum: values, properties, items, pattern, examples } = resolved;
  if (depth === 0) return fc.constant(samples.sample(resolved));
  if ("const" in resolved) return fc.constant(resolved["const"]);
  if (Array.isArray(values))
    return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...values) }, hostileText);
  const choices = choicesOf(resolved);
  if (choices.length > 0)
    return fc.oneof(...choices.map((choice) => hostileValue(samples, choice, depth - 1)));
  const [type] = typesOf(resolved);
  switch (type) {
    case "string":
      return textLike(samples, resolved, typeof pattern === "string");
    case "integer":
    case "number":
      return fc.oneof(
        fc.constant(samples.sample(resolved)),
        fc.constantFrom(0, 1, 2, 65_535, 2 ** 31, 2 ** 53 - 1, -1, 1e300),
        fc.integer({ min: 1, max: 1_000 }),
      );
    case "boolean":
      return fc.boolean();
    case "array":
      return fc.array(hostileValue(samples, items, depth - 1), { minLength: 1, maxLength: 3 });
    case "object":
      return isJson(properties)
        ? hostileObject(samples, resolved, properties, depth)
        : fc.object({ maxDepth: 1 });
    default:
      return Array.isArray(examples) ? fc.constantFrom(...examples) : hostileText;
  }
}

export const hostileText = fc.oneof(
  fc.constantFrom(...HOSTILE_TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** Mostly what fits, so that the call gets past its schema and the text to where it is used. */
function textLike(
  samples: Samples,
  schema: Record<string, unknown>,
  hasPattern: boolean,
): fc.Arbitrary<unknown> {
  const fitting = fc.constant(samples.sample(schema));
  return hasPattern || "format" in schema
    ? fc.oneof({ weight: 4, arbitrary: fitting }, hostileText)
    : fc.oneof({ weight: 1, arbitrary: fitting }, { weight: 2, arbitrary: hostileText });
}

/** The sample with some of its properties hostile, so that now and then only one of them is wrong. */
function hostileObject(
  samples: Samples,
  schema: Record<string, unknown>,
  properties: Record<string, unknown>,
  depth: number,
): fc.Arbitrary<unknown> {
  const sample = samples.sample(schema);
  const names = Object.keys(properties);
  const hostile = fc.record(
    Object.fromEntries(
      Object.entries(properties).map(([name, inner]) => [name, hostileValue(samples, inner, depth - 1)]),
    ),
  );
  return fc.tuple(fc.subarray(names), hostile).map(([chosen, values]) => {
    const worse = chosen.map((name) => [name, values[name]] as const);
    return Object.fromEntries([...Object.entries(isJson(sample) ? sample : {}), ...worse]);
  });
}
