/** Every way to write an import is seen, and every cycle is found. */

import { describe, expect, test } from "bun:test";
import { findCycles, parseSource } from "./source-graph.ts";

function specifiers(text: string): string[] {
  return parseSource("agent/cli/a.ts", text).imports.map(({ specifier }) => specifier);
}

describe("parseSource", () => {
  test.each([
    'import "./x.ts";',
    'import { a } from "./x.ts"; console.log(a);',
    'import { unused } from "./x.ts";',
    'import * as all from "./x.ts";',
    'import { a as b, type C } from "./x.ts";',
    'import type { A } from "./x.ts";',
    'import type A from "./x.ts";',
    'import type * as all from "./x.ts";',
    'import { type A } from "./x.ts";',
    'import {\n  type A,\n  type B,\n} from "./x.ts";',
    'import { type as b } from "./x.ts";',
    'import type from "./x.ts";',
    'import text from "./x.ts" with { type: "text" };',
    'export { a } from "./x.ts";',
    'export * from "./x.ts";',
    'export type { A } from "./x.ts";',
    'export type * from "./x.ts";',
    'export { type A } from "./x.ts";',
    'const x = await import("./x.ts");',
    'const x = require("./x.ts");',
    'type X = import("./x.ts").X;',
    'let x: typeof import("./x.ts");',
  ])("sees %j", (text) => {
    expect(specifiers(text)).toEqual(["./x.ts"]);
  });

  test.each([
    '// import "./x.ts";',
    '/* import "./x.ts"; */',
    '/**\n * As in import("./x.ts").\n */',
    "const text = 'import \"./x.ts\"';",
    'const text = `\nimport { a } from "./x.ts";\n`;',
  ])("is not taken in by %j", (text) => {
    expect(specifiers(text)).toEqual([]);
  });

  test("resolves our own files, and leaves packages and built-ins alone", () => {
    const text = ["./b.ts", "../engine/x.ts", "#shared/net/ipv4.ts", "zod", "node:fs", "bun"]
      .map((specifier) => `import "${specifier}";`)
      .join("\n");
    expect(parseSource("agent/cli/a.ts", text).imports.map(({ target }) => target)).toEqual([
      "agent/cli/b.ts",
      "agent/engine/x.ts",
      "shared/net/ipv4.ts",
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("keeps what runs and drops comments and types", () => {
    const { code } = parseSource(
      "a.ts",
      "// Date.now()\ntype Later = Promise<void>;\nfunction unused() { return process.env.NODE_ENV; }\n",
    );
    expect(code).not.toContain("Date.now");
    expect(code).not.toContain("Promise");
    expect(code).toContain("process.env.NODE_ENV");
  });

  test("keeps code that is never reached", () => {
    const { code } = parseSource("a.ts", "export function f() {\n  return 1;\n  process.exit(1);\n}\n");
    expect(code).toContain("process.exit");
  });

  test("reads TSX, and generic arrows in TS", () => {
    const page = 'import { h } from "preact";\nexport const Page = () => <p title={h.name}>Ports</p>;\n';
    expect(parseSource("control-plane/dashboard/page.tsx", page).exports).toEqual(["Page"]);
    expect(parseSource("a.ts", "export const same = <T>(value: T): T => value;").exports).toEqual(["same"]);
  });

  test("names the file that it cannot parse", () => {
    expect(() => parseSource("agent/broken.ts", "import {")).toThrow("cannot parse agent/broken.ts");
  });
});

describe("findCycles", () => {
  const cyclesOf = (edges: Readonly<Record<string, readonly string[]>>): string[][] =>
    findCycles(
      Object.entries(edges).map(([path, targets]) =>
        parseSource(path, targets.map((target, i) => `import type { X${i} } from "./${target}";`).join("\n")),
      ),
    );

  test("finds none where paths only meet again", () => {
    expect(cyclesOf({ "a.ts": ["b.ts", "c.ts"], "b.ts": ["d.ts"], "c.ts": ["d.ts"], "d.ts": [] })).toEqual(
      [],
    );
  });

  test("finds a file that imports itself, a pair, and a ring off the way in", () => {
    expect(cyclesOf({ "a.ts": ["a.ts"] })).toEqual([["a.ts", "a.ts"]]);
    expect(cyclesOf({ "a.ts": ["b.ts"], "b.ts": ["a.ts"] })).toEqual([["a.ts", "b.ts", "a.ts"]]);
    expect(cyclesOf({ "a.ts": ["b.ts"], "b.ts": ["c.ts"], "c.ts": ["d.ts"], "d.ts": ["b.ts"] })).toEqual([
      ["b.ts", "c.ts", "d.ts", "b.ts"],
    ]);
  });
});
