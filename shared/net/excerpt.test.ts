/** What an error message may show of text from outside. */

import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { excerpt } from "./excerpt.ts";

describe("excerpt", () => {
  test("leaves short plain text alone", () => {
    expect(excerpt("22,80-443")).toBe("22,80-443");
    expect(excerpt("x".repeat(80))).toBe("x".repeat(80));
  });

  test("cuts what is longer than 80 characters and says so", () => {
    expect(excerpt("x".repeat(81))).toBe(`${"x".repeat(79)}…`);
  });

  test("takes the force out of escape sequences and line breaks", () => {
    expect(excerpt("\u001b[2Jgone\r\nnext\u009b1m")).toBe("?[2Jgone??next?1m");
  });

  test("is bounded and on one line whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
        const shown = excerpt(text);
        expect(shown.length).toBeLessThanOrEqual(80);
        expect(shown).not.toMatch(/\p{Cc}/u);
      }),
    );
  });
});
