/**
 * The rules of the source tree and the check of each. A rule has a reason, shown where it is broken.
 * Tests, and helpers in a `testing/` folder, wire up what they test: the layers do not bind them.
 */

import { LAYERS, type Layer, PURE } from "./import-layers.ts";
import { findCycles, type SourceFile } from "./source-graph.ts";

export interface Rule {
  readonly name: string;
  readonly reason: string;
  /** One line for each offence, beginning with the path of the file. */
  check(files: readonly SourceFile[]): string[];
}

const SHIPPED = ["agent", "control-plane", "shared"];
const ROOTS = new Set(["agent/main.ts", "control-plane/main.ts"]);
const DATABASES = /^(?:kysely|pg|bun:sqlite)(?:[-/]|$)/;
const BUILT_IN = /^(?:node:|bun:|bun$)/;

function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function withinAny(path: string, folders: readonly string[]): boolean {
  return folders.some((folder) => within(path, folder));
}

function isTest(path: string): boolean {
  return /\.test\.tsx?$|\/testing\//.test(path);
}

function isShipped({ path }: SourceFile): boolean {
  return withinAny(path, SHIPPED) && !isTest(path);
}

function layerOf(path: string): Layer | undefined {
  const above = LAYERS.filter(({ of }) => within(path, of));
  return above.toSorted((a, b) => b.of.length - a.of.length)[0];
}

/** A rule about each file by itself. `offences` says what is wrong with one, in words that follow its path. */
function perFile(
  name: string,
  reason: string,
  applies: (file: SourceFile) => boolean,
  offences: (file: SourceFile) => readonly string[],
): Rule {
  const check = (files: readonly SourceFile[]): string[] =>
    files.filter(applies).flatMap((file) => offences(file).map((offence) => `${file.path} ${offence}`));
  return { name, reason, check };
}

/** Offences for every import of a package or built-in that `refused` picks. */
function packagesRefused(file: SourceFile, refused: (specifier: string) => boolean): string[] {
  return file.imports
    .filter(({ specifier, target }) => target === undefined && refused(specifier))
    .map(({ specifier }) => `imports ${specifier}`);
}

function targetsRefused(file: SourceFile, refused: (target: string) => boolean): string[] {
  return file.imports.flatMap(({ target }) =>
    target !== undefined && refused(target) ? [`imports ${target}`] : [],
  );
}

/** Offences for every pattern that the file's code, free of comments and types, contains. */
function codeRefused(file: SourceFile, patterns: readonly RegExp[]): string[] {
  return patterns.flatMap((pattern) => {
    const found = pattern.exec(file.code);
    return found === null ? [] : [`contains \`${found[0].trim()}\``];
  });
}

function layerOffences(file: SourceFile): string[] {
  const layer = layerOf(file.path);
  if (layer === undefined) return ["stands in no layer of scripts/import-layers.ts"];
  const { of, mayImport, reason } = layer;
  return targetsRefused(file, (target) => !withinAny(target, [of, ...mayImport])).map(
    (offence) => `${offence}: ${reason}`,
  );
}

export const RULES: readonly Rule[] = [
  perFile(
    "each layer imports only what lies below it",
    "the tree reads as the data flows; who may call whom is seen from the folder",
    isShipped,
    layerOffences,
  ),
  perFile(
    "agent and control-plane do not import each other",
    "they are released together but run apart: what both need is the wire contract in shared",
    ({ path }) => withinAny(path, ["agent", "control-plane"]),
    (file) =>
      targetsRefused(file, (target) =>
        within(target, within(file.path, "agent") ? "control-plane" : "agent"),
      ),
  ),
  perFile(
    "nothing imports a main.ts",
    "importing a composition root starts the program",
    () => true,
    (file) => targetsRefused(file, (target) => ROOTS.has(target)),
  ),
  perFile(
    "what ships imports no test and no test helper",
    "test code reads the environment and starts servers and databases of its own",
    isShipped,
    (file) => targetsRefused(file, isTest),
  ),
  perFile(
    "shared is reached as #shared/",
    "the prefix shows at a glance that an import leaves its tree",
    ({ path }) => !within(path, "shared"),
    ({ imports }) =>
      imports
        .filter(({ specifier, target }) => specifier.startsWith(".") && within(target ?? "", "shared"))
        .map(({ specifier }) => `imports ${specifier}`),
  ),
  perFile(
    "shared uses no package but zod, and nothing of Bun or Node.js",
    "shared also runs in the browser",
    (file) => isShipped(file) && within(file.path, "shared"),
    (file) => [
      ...packagesRefused(file, (specifier) => !/^zod(?:\/|$)/.test(specifier)),
      ...codeRefused(file, [/\bBun\.\w+/, /\bBuffer\.\w+/]),
    ],
  ),
  perFile(
    "the dashboard uses packages, and nothing of Bun or Node.js",
    "the dashboard runs in the browser",
    (file) => isShipped(file) && within(file.path, "control-plane/dashboard"),
    (file) => [
      ...packagesRefused(file, (specifier) => BUILT_IN.test(specifier)),
      ...codeRefused(file, [/\bBun\.\w+/]),
    ],
  ),
  perFile(
    "only agent/ffi imports bun:ffi",
    "a wrong pointer crashes the agent: whoever reviews native calls reads one folder",
    (file) => isShipped(file) && !within(file.path, "agent/ffi"),
    (file) => packagesRefused(file, (specifier) => specifier === "bun:ffi"),
  ),
  perFile(
    "only control-plane/store speaks to a database",
    "one set of queries for both databases; what differs between them is in one place",
    (file) => isShipped(file) && !within(file.path, "control-plane/store"),
    (file) => [
      ...packagesRefused(file, (specifier) => DATABASES.test(specifier)),
      ...codeRefused(file, [/\bBun\.(?:SQL|sql)\b/, /\bimport \{[^}]*\b(?:SQL|sql)\b[^}]*\} from "bun"/]),
    ],
  ),
  perFile(
    "targets, packet, accuracy, pacer and dedup are pure",
    "time and randomness come in as arguments, so that every probe of a scan can be computed again",
    (file) => isShipped(file) && withinAny(file.path, PURE),
    (file) => [
      ...packagesRefused(file, () => true),
      ...codeRefused(file, [
        /\basync\b/,
        /\bawait\b/,
        /\bPromise\b/,
        /\bDate\b/,
        /\bperformance\.\w+/,
        /\bBun\.\w+/,
        /\bset(?:Timeout|Interval|Immediate)\b/,
        /\bMath\.random\b/,
        /\bcrypto\.\w+/,
      ]),
    ],
  ),
  perFile(
    "only agent/main.ts names the URL of a Worker",
    "a compiled binary finds Workers only by URLs that its entry file names; elsewhere they work in development and fail shipped",
    (file) => isShipped(file) && file.path !== "agent/main.ts",
    (file) =>
      codeRefused(file, [/\bnew Worker\(\s*(?:["'`]|new URL)/, /\bnew URL\(\s*["'`][^"'`]*\bworker\b/]),
  ),
  perFile(
    "only a main.ts reads environment and arguments, and exits",
    "configuration has one way in, and whoever holds a socket or a spool gets to close it",
    (file) => isShipped(file) && !ROOTS.has(file.path),
    (file) => [
      ...packagesRefused(file, (specifier) => /^(?:node:)?process$/.test(specifier)),
      ...codeRefused(file, [
        /\bprocess\??\.(?:env|argv|exit)\b/,
        /\bprocess\[/,
        /[=(]\s*(?:globalThis\.)?process\s*[;,)]/,
        /\bBun\.(?:env|argv)\b/,
        /\bimport\.meta\.env\b/,
      ]),
    ],
  ),
  perFile(
    "no default exports",
    "a thing has one name, the same wherever it is used",
    () => true,
    ({ exports }) => (exports.includes("default") ? ["has a default export"] : []),
  ),
  perFile(
    "no barrels",
    "an import names the file it needs; a barrel hides what depends on what and loads it all",
    () => true,
    (file) => [
      ...(/(?:^|\/)index\.tsx?$/.test(file.path) ? ["is an index file"] : []),
      ...codeRefused(file, [/^export \* (?:as \w+ )?from\b/m]),
    ],
  ),
  {
    name: "no import cycles",
    reason: "of two files that need each other, neither can be understood, tested or moved alone",
    check: (files) => findCycles(files).map((cycle) => cycle.join(" → ")),
  },
];
