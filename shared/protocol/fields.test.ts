/** What the shared field types accept and refuse. */

import { describe, expect, test } from "bun:test";
import type { z } from "zod";
import {
  addressSchema,
  idParameterSchema,
  idSchema,
  observedTextSchema,
  pageQuerySchema,
  rateSchema,
  scannerNameSchema,
  timestampSchema,
} from "./fields.ts";
import { DEFAULT_PAGE_SIZE, MAX_NAME_LENGTH, MAX_PAGE_SIZE, MAX_RATE_PPS } from "./limits.ts";

interface FieldCase {
  readonly name: string;
  readonly schema: z.ZodType;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const FIELDS: readonly FieldCase[] = [
  {
    name: "id",
    schema: idSchema,
    accepted: [1, Number.MAX_SAFE_INTEGER],
    refused: [0, -1, 1.5, "1", null, NaN, 2 ** 53],
  },
  {
    name: "id parameter",
    schema: idParameterSchema,
    accepted: ["1", "42"],
    refused: ["", "0", "-1", "1.5", "abc", "1;drop", "0x1", "1e3", " 1", "99999999999999999", undefined],
  },
  {
    name: "timestamp",
    schema: timestampSchema,
    accepted: ["2026-01-27T10:30:00Z", "2026-01-27T10:30:00.000Z", "2024-02-29T00:00:00.123456789Z"],
    refused: [
      "2026-01-27",
      "2026-01-27T10:30:00",
      "2026-01-27T10:30:00+02:00",
      "2026-02-29T00:00:00Z",
      `2026-01-27T10:30:00.${"0".repeat(1_000)}Z`,
      1_769_509_800_000,
    ],
  },
  {
    name: "address",
    schema: addressSchema,
    accepted: ["0.0.0.0", "255.255.255.255", "::", "2001:db8::1", "::ffff:192.0.2.1"],
    refused: ["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.0/24", "::1::", "fe80::1%eth0", 167_772_161],
  },
  {
    name: "scanner name",
    schema: scannerNameSchema,
    accepted: ["a", "fra-1", "DC2", "x".repeat(MAX_NAME_LENGTH)],
    refused: ["", "a b", "a_b", "a.b", "ä", "a\n", "x".repeat(MAX_NAME_LENGTH + 1)],
  },
  {
    name: "rate",
    schema: rateSchema,
    accepted: [0, 1, MAX_RATE_PPS],
    refused: [-1, 0.5, MAX_RATE_PPS + 1, Infinity, "100"],
  },
];

describe.each(FIELDS)("$name", ({ schema, accepted, refused }) => {
  test.each(accepted.map((value) => [value]))("accepts %j", (value) => {
    expect(schema.safeParse(value).success).toBe(true);
  });

  test.each(refused.map((value) => [value]))("refuses %j", (value) => {
    expect(schema.safeParse(value).success).toBe(false);
  });
});

describe("an address", () => {
  test.each([
    ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
    ["::ffff:c000:201", "::ffff:192.0.2.1"],
    ["192.0.2.1", "192.0.2.1"],
  ])("%s is read as %s", (text, canonical) => {
    expect(addressSchema.parse(text)).toBe(canonical);
  });
});

describe("page query", () => {
  test("starts at the first row with the default size", () => {
    expect(pageQuerySchema.parse({})).toEqual({ limit: DEFAULT_PAGE_SIZE });
  });

  test("reads numbers from text and keeps to the largest page", () => {
    expect(pageQuerySchema.parse({ limit: `${MAX_PAGE_SIZE}`, cursor: "7" })).toEqual({
      limit: MAX_PAGE_SIZE,
      cursor: 7,
    });
    for (const limit of ["0", "-1", "x", `${MAX_PAGE_SIZE + 1}`]) {
      expect(pageQuerySchema.safeParse({ limit }).success).toBe(false);
    }
    expect(pageQuerySchema.safeParse({ cursor: "-1" }).success).toBe(false);
  });
});

test("observed text keeps all but what no database keeps", () => {
  const schema = observedTextSchema(8);
  for (const text of ["", "ÄÖ 漢 🧭", "\r\n\u001b[31m"]) expect(schema.parse(text)).toBe(text);
  expect(schema.parse("a\0b\ud800c")).toBe("a\uFFFDb\uFFFDc");
  expect(schema.safeParse("123456789").success).toBe(false);
});
