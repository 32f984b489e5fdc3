/** JSON in pieces is the JSON that it would be in one. */

import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { joined, jsonPieces } from "./json-pieces.ts";

test.each([undefined, 2])("a document with a list, indented by %p", (indent) => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), fc.string(), (list, name) => {
      const documentWith = (targets: unknown) => ({ name, scan: { targets, ports: "80" } });
      const quoted = list.map((text) => JSON.stringify(text));
      const pieces = jsonPieces(documentWith, ["[", ...joined(quoted, ","), "]"], indent);
      expect(JSON.parse([...pieces].join(""))).toEqual(documentWith(list));
    }),
  );
});

test("a long value comes in pieces of some size, and none is lost", () => {
  const words = Array.from({ length: 100_000 }, (_, i) => `word-${i}`);
  const pieces = [...jsonPieces((text) => ({ text }), ['"', ...joined(words, ","), '"'])];
  expect(JSON.parse(pieces.join(""))).toEqual({ text: words.join(",") });
  expect(pieces.length).toBeLessThan(30);
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(100_000);
});
