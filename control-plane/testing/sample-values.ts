/** Values for the schemas of the OpenAPI document: a sample that fits, and for each of its parts values of a wrong type. */

import * as fc from "fast-check";
import type { OpenApiDocument } from "../http/openapi/document.ts";

type Json = Record<string, unknown>;

export interface WrongValue {
  /** Where in the sample: `["targets", 0]`. */
  readonly at: readonly (string | number)[];
  readonly value: unknown;
}

const SEED = 7;
/** One of each JSON type, and a fraction, which no integer is. */
const BY_TYPE: readonly (readonly [string, unknown])[] = [
  ["null", null],
  ["boolean", true],
  ["string", "wrong"],
  ["number", 1.5],
  ["array", [["wrong"]]],
  ["object", { wrong: 1 }],
];

export class Samples {
  private readonly schemas: Readonly<Record<string, unknown>>;
  private readonly known: Readonly<Record<string, unknown>>;

  /** @param known what properties of these names hold in every sample */
  constructor(document: OpenApiDocument, known: Readonly<Record<string, unknown>>) {
    this.schemas = document.components?.schemas ?? {};
    this.known = known;
  }

  /** The schema itself where it is a reference to one. */
  resolve(schema: unknown): Json {
    if (!isJson(schema)) return {};
    const reference = schema["$ref"];
    if (typeof reference !== "string") return schema;
    return this.resolve(this.schemas[reference.slice("#/components/schemas/".length)]);
  }

  /** A value that fits, with every property; the schema's example where it has one. */
  sample(schema: unknown): unknown {
    const resolved = this.resolve(schema);
    const [example] = listOf(resolved["examples"]);
    if (example !== undefined) return this.withKnown(structuredClone(example));
    if ("const" in resolved) return resolved["const"];
    const [choice] = [...listOf(resolved["enum"]), ...choicesOf(resolved).map((one) => this.sample(one))];
    if (choice !== undefined) return choice;
    switch (typesOf(resolved)[0]) {
      case "string":
        return sampleText(resolved);
      case "integer":
      case "number":
        return Math.max(numberOf(resolved["minimum"]), 1);
      case "boolean":
        return false;
      case "array":
        return Array.from({ length: Math.max(numberOf(resolved["minItems"]), 1) }, () =>
          this.sample(resolved["items"]),
        );
      case "object":
        return Object.fromEntries(
          this.propertiesOf(resolved).map(([name, property]) => [
            name,
            this.known[name] ?? this.sample(property),
          ]),
        );
      default:
        return "anything";
    }
  }

  private withKnown(example: unknown): unknown {
    if (!isJson(example)) return example;
    const known = Object.entries(this.known).filter(([name]) => name in example);
    return { ...example, ...Object.fromEntries(known) };
  }

  /** For each part of the value, as far as the schema knows it, values that are of no type that it may have. */
  wrongValues(schema: unknown, value: unknown, at: WrongValue["at"] = []): WrongValue[] {
    const resolved = this.resolve(schema);
    const allowed = this.allowedTypes(resolved);
    const wrong =
      allowed === undefined
        ? []
        : BY_TYPE.filter(([type]) => !allowed.has(type)).map(([, wrongValue]) => ({ at, value: wrongValue }));
    if (Array.isArray(value)) {
      return [
        ...wrong,
        ...(value.length === 0 ? [] : this.wrongValues(resolved["items"], value[0], [...at, 0])),
      ];
    }
    if (!isJson(value)) return wrong;
    const inner = this.propertiesOf(resolved).flatMap(([name, property]) =>
      name in value ? this.wrongValues(property, value[name], [...at, name]) : [],
    );
    return [...wrong, ...inner];
  }

  /** The names and schemas of an object's properties; of the first choice where there are several. */
  propertiesOf(schema: Json): [string, unknown][] {
    const { properties } = schema;
    if (isJson(properties)) return Object.entries(properties);
    const [choice] = choicesOf(schema);
    return choice === undefined ? [] : this.propertiesOf(this.resolve(choice));
  }

  /** Undefined: anything. */
  private allowedTypes(schema: Json): Set<string> | undefined {
    const own = typesOf(schema);
    if (own.length > 0) return new Set(own.flatMap((type) => (type === "integer" ? [] : [type])));
    const choices = choicesOf(schema).map((choice) => this.allowedTypes(this.resolve(choice)));
    if (choices.length === 0) return "const" in schema ? new Set([typeof schema["const"]]) : undefined;
    const allowed = new Set<string>();
    for (const types of choices) {
      if (types === undefined) return undefined;
      for (const type of types) allowed.add(type);
    }
    return allowed;
  }
}

/** Where in the value the texts are. */
export function placesOfTexts(value: unknown, at: WrongValue["at"] = []): WrongValue["at"][] {
  if (typeof value === "string") return [at];
  if (Array.isArray(value)) return value.flatMap((item, index) => placesOfTexts(item, [...at, index]));
  if (!isJson(value)) return [];
  return Object.entries(value).flatMap(([name, inner]) => placesOfTexts(inner, [...at, name]));
}

/** The value with another one at this place. */
export function withValueAt(whole: unknown, at: WrongValue["at"], value: unknown): unknown {
  const [first, ...rest] = at;
  if (first === undefined) return value;
  if (Array.isArray(whole))
    return whole.map((item, index) => (index === first ? withValueAt(item, rest, value) : item));
  return isJson(whole) ? { ...whole, [first]: withValueAt(whole[first], rest, value) } : whole;
}

function sampleText(schema: Json): string {
  if (schema["format"] === "uuid") return "5f0c6a52-3b0e-4c0a-9a51-0d7c3a2b1e4f";
  if (schema["format"] === "date-time") return "2026-01-27T10:30:00Z";
  const { pattern } = schema;
  if (typeof pattern === "string")
    return fc.sample(fc.stringMatching(new RegExp(pattern)), { seed: SEED, numRuns: 1 })[0] ?? "";
  return "x".repeat(Math.max(numberOf(schema["minLength"]), 1));
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function typesOf(schema: Json): string[] {
  const { type } = schema;
  return listOf(Array.isArray(type) ? type : type === undefined ? [] : [type]).map(String);
}

export function choicesOf(schema: Json): unknown[] {
  return [...listOf(schema["anyOf"]), ...listOf(schema["oneOf"])];
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
