/**
 * The source files of the project and what each imports, types included: the material of the import-boundary test.
 * Parses with Bun's own transpiler. Knows nothing of which imports are allowed.
 */

import { readFileSync } from "node:fs";
import { posix } from "node:path";

export interface Import {
  /** As it is written: `../net/ipv4.ts`, `#shared/errors.ts`, `zod`. */
  readonly specifier: string;
  /** The file of ours that it names, as a path from the root; undefined for packages and built-ins. */
  readonly target: string | undefined;
}

export interface SourceFile {
  /** From the root, with forward slashes: `agent/engine/pacer.ts`. */
  readonly path: string;
  readonly imports: readonly Import[];
  readonly exports: readonly string[];
  /** What runs: the text without comments and types, so that a rule about code does not stumble over prose. */
  readonly code: string;
}

const OPTIONS = {
  target: "bun",
  trimUnusedImports: false,
  deadCodeElimination: false,
  // Left as written, where the transpiler would put in the value of its own process.
  define: { "process.env.NODE_ENV": "process.env.NODE_ENV" },
} as const;

const TRANSPILERS = {
  ts: new Bun.Transpiler({ ...OPTIONS, loader: "ts" }),
  tsx: new Bun.Transpiler({ ...OPTIONS, loader: "tsx" }),
};

/** The transpiler forgets type imports, so they are made ordinary ones before it looks. */
function withTypeImportsKept(text: string): string {
  return text
    .replaceAll(/^(\s*import) type (?!from\b)/gm, "$1 ")
    .replaceAll(/^(\s*export) type (?=[{*])/gm, "$1 ")
    .replaceAll(/([{,]\s*)type (?=[\w$])(?!as\b)/g, "$1");
}

/** `import("./x.ts").X` in a type, and `require`: no imports to the transpiler's scan. */
function calledImports(text: string): string[] {
  const withoutComments = text.replaceAll(/^\s*(?:\/?\*|\/\/).*$/gm, "");
  const calls = withoutComments.matchAll(/\b(?:import|require)\(\s*["']([^"']+)["']\s*\)/g);
  return [...calls].flatMap(([, specifier]) => specifier ?? []);
}

function resolve(from: string, specifier: string): string | undefined {
  if (specifier.startsWith("#shared/")) return posix.normalize(specifier.slice(1));
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  return undefined;
}

/** @throws Error naming the file when it cannot be parsed */
export function parseSource(path: string, text: string): SourceFile {
  const transpiler = path.endsWith("x") ? TRANSPILERS.tsx : TRANSPILERS.ts;
  try {
    const { imports, exports } = transpiler.scan(withTypeImportsKept(text));
    const specifiers = new Set([...imports.map((found) => found.path), ...calledImports(text)]);
    return {
      path,
      imports: [...specifiers].map((specifier) => ({ specifier, target: resolve(path, specifier) })),
      exports,
      code: transpiler.transformSync(text),
    };
  } catch (cause) {
    throw new Error(`cannot parse ${path}`, { cause });
  }
}

/** Every TypeScript file of the trees below `root`, sorted by path. */
export function loadSources(root: string, trees: readonly string[]): SourceFile[] {
  const paths = trees.flatMap((tree) => [...new Bun.Glob(`${tree}/**/*.{ts,tsx}`).scanSync({ cwd: root })]);
  return paths.sort().map((path) => parseSource(path, readFileSync(posix.join(root, path), "utf8")));
}

/** Import cycles, each as the paths from one file back to itself. At least one for every knot of files. */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const trail: string[] = [];
  const cycles: string[][] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push([...trail.slice(start), path]);
    if (start >= 0 || finished.has(path)) return;
    trail.push(path);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      if (target !== undefined && byPath.has(target)) visit(target);
    }
    trail.pop();
    finished.add(path);
  };
  for (const { path } of files) visit(path);
  return cycles;
}
