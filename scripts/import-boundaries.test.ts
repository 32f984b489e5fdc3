/**
 * The architecture, enforced: every rule holds in the tree as it stands, and every rule is known to fail where it should.
 * The rules are in import-boundaries.ts, the layers in import-layers.ts.
 */

import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Rule, RULES } from "./import-boundaries.ts";
import { loadSources, parseSource } from "./source-graph.ts";

const ROOT = join(import.meta.dir, "..");
const TREES = ["agent", "control-plane", "shared", "scripts"];

type Tree = Readonly<Record<string, string>>;

function ruleNamed(name: string): Rule {
  const rule = RULES.find((candidate) => candidate.name === name);
  if (rule === undefined) throw new Error(`there is no rule '${name}'`);
  return rule;
}

function offences(rule: Rule, tree: Tree): string[] {
  return rule.check(Object.entries(tree).map(([path, text]) => parseSource(path, text)));
}

function imports(...specifiers: readonly string[]): string {
  return specifiers.map((specifier, i) => `import { x${i} } from "${specifier}";`).join("\n");
}

/** By rule: small trees that break it, and trees near the line that do not. */
const EXAMPLES: Readonly<Record<string, { broken: readonly Tree[]; sound: readonly Tree[] }>> = {
  "each layer imports only what lies below it": {
    broken: [
      { "shared/log.ts": imports("../agent/host/metrics.ts") },
      { "shared/log.ts": imports("../scripts/build.ts") },
      { "agent/daemon/daemon.ts": imports("../cli/run.ts") },
      { "agent/daemon/daemon.ts": imports("../output/formats.ts") },
      { "agent/output/formats.ts": imports("../engine/results.ts") },
      { "agent/engine/accuracy/estimate.ts": imports("../control-block.ts") },
      { "agent/daemon/daemon.ts": imports("../ffi/libc.ts") },
      { "agent/cli/scan.ts": imports("../ffi/libc.ts") },
      { "agent/engine/scan.ts": imports("../daemon/daemon.ts") },
      { "agent/engine/scan.ts": imports("../config/load.ts") },
      { "agent/engine/scan.ts": imports("../ffi/libc.ts") },
      { "agent/engine/sender.worker.ts": imports("../ffi/libc.ts") },
      { "agent/engine/link/raw.ts": imports("../../host/interfaces.ts") },
      { "agent/spool/spool.ts": 'import type { X } from "../client/client.ts";' },
      { "agent/nmap/nmap.ts": imports("../ffi/libc.ts") },
      { "agent/config/load.ts": imports("../host/interfaces.ts") },
      { "agent/ffi/libc.ts": imports("../engine/link/raw.ts") },
      { "agent/engine/pacer.ts": imports("#shared/clock.ts") },
      { "agent/engine/pacer.ts": imports("#shared/log.ts") },
      { "agent/engine/dedup.ts": imports("./records.ts") },
      { "agent/engine/packet/syn.ts": imports("../link/raw.ts") },
      { "agent/engine/targets/space.ts": 'const x = await import("#shared/protocol/job.ts");' },
      { "agent/misc/helpers.ts": "export const x = 1;" },
      { "control-plane/store/scanners.ts": imports("../services/scanners.ts") },
      { "control-plane/services/scanners.ts": imports("../http/errors.ts") },
      { "control-plane/services/scanners.ts": imports("../app.ts") },
      { "control-plane/http/scanner/jobs.ts": imports("../../store/jobs.ts") },
      { "control-plane/http/errors.ts": imports("../cli/serve.ts") },
      { "control-plane/dashboard/page.tsx": imports("../services/scanners.ts") },
      { "control-plane/dashboard/page.tsx": imports("#shared/net/ipv4.ts") },
    ],
    sound: [
      {
        "agent/main.ts": imports("./cli/run.ts", "./engine/scan.ts", "./config/load.ts"),
      },
      { "agent/cli/scan.ts": imports("../engine/scan.ts", "../config/load.ts", "../output/formats.ts") },
      { "agent/daemon/daemon.ts": imports("../spool/spool.ts", "../config/load.ts") },
      { "agent/engine/scan.ts": imports("./link/raw.ts", "#shared/log.ts", "zod") },
      { "agent/engine/link/raw.ts": imports("../../ffi/libc.ts", "../packet/syn.ts") },
      { "agent/host/metrics.ts": imports("../ffi/libc.ts") },
      { "agent/engine/packet/syn.ts": imports("../pacer.ts", "#shared/net/ipv4.ts") },
      { "agent/engine/pacer.ts": imports("./targets/space.ts", "#shared/errors.ts") },
      { "agent/engine/pacer.test.ts": imports("../daemon/daemon.ts") },
      { "control-plane/main.ts": imports("./cli/serve.ts", "./store/store.ts") },
      { "control-plane/cli/serve.ts": imports("../server.ts", "../store/store.ts") },
      { "control-plane/http/scanner/jobs.ts": imports("../auth.ts", "../../services/jobs.ts") },
      {
        "control-plane/dashboard/page.tsx": imports("#shared/protocol/operator.ts", "./chart.tsx"),
      },
      { "scripts/bench.ts": imports("../agent/engine/scan.ts") },
    ],
  },
  "agent and control-plane do not import each other": {
    broken: [
      { "agent/client/client.ts": imports("../../control-plane/app.ts") },
      { "agent/client/client.test.ts": imports("../../control-plane/app.ts") },
      { "control-plane/app.ts": 'import type { X } from "../agent/client/client.ts";' },
    ],
    sound: [
      {
        "scripts/quickstart.test.ts": imports("../control-plane/app.ts", "../agent/client/client.ts"),
      },
    ],
  },
  "nothing imports a main.ts": {
    broken: [
      { "agent/cli/run.ts": imports("../main.ts") },
      { "scripts/build.ts": imports("../control-plane/main.ts") },
    ],
    sound: [{ "scripts/build.ts": 'const entry = "agent/main.ts";' }],
  },
  "what ships imports no test and no test helper": {
    broken: [
      { "control-plane/store/store.ts": imports("./testing/postgres.ts") },
      { "agent/engine/scan.ts": imports("./pacer.test.ts") },
    ],
    sound: [{ "control-plane/store/store.test.ts": imports("./testing/postgres.ts") }],
  },
  "shared is reached as #shared/": {
    broken: [{ "agent/cli/scan.ts": imports("../../shared/errors.ts") }],
    sound: [
      { "agent/cli/scan.ts": imports("#shared/errors.ts") },
      { "shared/net/a.ts": imports("../errors.ts") },
    ],
  },
  "shared uses no package but zod, and nothing of Bun or Node.js": {
    broken: [
      ...["node:fs", "bun", "bun:sqlite", "yaml", "zodiac"].map((name) => ({
        "shared/log.ts": imports(name),
      })),
      { "shared/log.ts": "export const write = () => Bun.write('x', '');" },
    ],
    sound: [
      { "shared/protocol/job.ts": imports("zod", "zod/v4") },
      { "shared/log.test.ts": imports("bun:test") },
      { "shared/log.ts": "/** Bun.write */" },
    ],
  },
  "the dashboard uses packages, and nothing of Bun or Node.js": {
    broken: ["node:fs", "bun", "bun:sqlite"].map((name) => ({
      "control-plane/dashboard/page.tsx": imports(name),
    })),
    sound: [{ "control-plane/dashboard/page.tsx": imports("preact") }],
  },
  "only agent/ffi imports bun:ffi": {
    broken: [
      { "agent/host/metrics.ts": imports("bun:ffi") },
      { "agent/engine/link/raw.ts": 'import type { Pointer } from "bun:ffi";' },
    ],
    sound: [{ "agent/ffi/libc.ts": imports("bun:ffi") }],
  },
  "only control-plane/store speaks to a database": {
    broken: [
      { "control-plane/services/jobs.ts": 'import type { Kysely } from "kysely";' },
      { "control-plane/services/jobs.ts": imports("pg") },
      { "control-plane/cli/serve.ts": imports("bun:sqlite") },
      { "control-plane/http/health.ts": "await Bun.sql`select 1`;" },
      { "control-plane/http/health.ts": 'import { SQL } from "bun"; new SQL();' },
      { "agent/spool/spool.ts": imports("bun:sqlite") },
    ],
    sound: [
      { "control-plane/store/store.ts": imports("kysely", "pg", "bun:sqlite") },
      { "control-plane/services/jobs.ts": imports("pgp") },
    ],
  },
  "targets, packet, accuracy, pacer and dedup are pure": {
    broken: [
      { "agent/engine/accuracy/canary-watch.ts": "export const now = () => performance.now();" },
      { "agent/engine/sent-history.ts": "export const now = () => performance.now();" },
      { "agent/engine/pacer.ts": "export const now = () => performance.now();" },
      { "agent/engine/pacer.ts": "export const now = () => Date.now();" },
      { "agent/engine/dedup.ts": "async function wait() {}" },
      { "agent/engine/targets/space.ts": "export const seed = () => Math.random();" },
      { "agent/engine/targets/space.ts": imports("node:crypto") },
      { "agent/engine/packet/syn.ts": imports("zod") },
      {
        "agent/engine/packet/cookie.ts":
          "export const key = () => crypto.getRandomValues(new Uint8Array(8));",
      },
    ],
    sound: [
      {
        "agent/engine/pacer.ts":
          "// Date.now() is the caller's.\nexport const next = (nowMs: number) => nowMs + 1;",
      },
      { "agent/engine/pacer.test.ts": "await Promise.resolve(Date.now());" },
      { "agent/engine/scan.ts": "export async function scan() {}" },
    ],
  },
  "only agent/main.ts names the URL of a Worker": {
    broken: [
      { "agent/engine/scan.ts": 'new Worker(new URL("./sender.worker.ts", import.meta.url));' },
      { "agent/engine/scan.ts": 'new Worker("./sender.worker.ts");' },
      { "agent/cli/scan.ts": 'export const url = new URL("../engine/sender.worker.ts", import.meta.url);' },
    ],
    sound: [
      { "agent/main.ts": 'export const url = new URL("./engine/sender.worker.ts", import.meta.url);' },
      { "agent/engine/scan.ts": "export const start = (url: URL) => new Worker(url);" },
      {
        "agent/client/client.ts": 'export const url = new URL("/scanner/heartbeat", "https://example.org");',
      },
    ],
  },
  "only a main.ts reads environment and arguments, and exits": {
    broken: [
      "const x = process.env.HOME;",
      "const x = process.env.NODE_ENV;",
      'const x = process["env"];',
      "const { argv } = process;",
      "process.exit(1);",
      "const x = Bun.env.HOME;",
      "const x = Bun.argv;",
      "const x = import.meta.env.MODE;",
      'import { env } from "node:process";',
    ].map((text) => ({ "agent/cli/run.ts": text })),
    sound: [
      { "agent/main.ts": "process.exit(process.argv.length);" },
      {
        "agent/cli/run.ts":
          "// process.env\nprocess.on('SIGTERM', () => {}); const processes = [process.pid];",
      },
      { "scripts/build.ts": "process.exit(1);" },
      { "agent/cli/run.test.ts": "process.env.HOME;" },
    ],
  },
  "no default exports": {
    broken: [
      { "agent/cli/run.ts": "export default 1;" },
      { "scripts/build.ts": "const x = 1; export { x as default };" },
      { "shared/log.test.ts": "export default function f() {}" },
    ],
    sound: [{ "agent/cli/run.ts": 'import index from "./index.html"; export const page = index;' }],
  },
  "no barrels": {
    broken: [
      { "shared/index.ts": "export const x = 1;" },
      { "control-plane/dashboard/index.tsx": "export const x = 1;" },
      { "shared/all.ts": 'export * from "./log.ts";' },
      { "shared/all.ts": 'export * as log from "./log.ts";' },
    ],
    sound: [{ "agent/engine/targets/index-space.ts": "export const x = 1;" }],
  },
  "no import cycles": {
    broken: [
      { "shared/a.ts": imports("./b.ts"), "shared/b.ts": 'import type { A } from "./a.ts";' },
      { "agent/a.ts": imports("#shared/b.ts"), "shared/b.ts": imports("../agent/a.ts") },
    ],
    sound: [{ "shared/a.ts": imports("./b.ts"), "shared/b.ts": "export const x = 1;" }],
  },
};

describe("the tree", () => {
  const sources = loadSources(ROOT, TREES);

  test.each(RULES.map((rule) => [rule.name, rule] as const))("%s", (_, rule) => {
    // The reason stands on both sides, so that a failure shows it beside the offences.
    expect({ because: rule.reason, offences: rule.check(sources) }).toEqual({
      because: rule.reason,
      offences: [],
    });
  });

  test("was read: every tree has files, and an import known to be there is seen", () => {
    for (const tree of TREES) expect(sources.some(({ path }) => path.startsWith(`${tree}/`))).toBe(true);
    const errors = sources.find(({ path }) => path === "shared/net/port-spec.ts");
    expect(errors?.imports.map(({ target }) => target)).toContain("shared/errors.ts");
  });
});

describe("the check", () => {
  test("has examples for every rule", () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(RULES.map(({ name }) => name).sort());
  });

  describe.each(Object.entries(EXAMPLES))("%s", (name, { broken, sound }) => {
    test.each(broken.map((tree) => [tree]))("is broken by %j", (tree) => {
      expect(offences(ruleNamed(name), tree)).not.toEqual([]);
    });

    test.each(sound.map((tree) => [tree]))("is kept by %j", (tree) => {
      expect(offences(ruleNamed(name), tree)).toEqual([]);
    });
  });

  test("an offence names the file, what it does, and why not", () => {
    const tree = { "agent/engine/scan.ts": imports("../ffi/libc.ts") };
    expect(offences(ruleNamed("each layer imports only what lies below it"), tree)).toEqual([
      "agent/engine/scan.ts imports agent/ffi/libc.ts: " +
        "engine, spool, client, identify, nmap and host stand apart; native calls go through engine/link and host",
    ]);
  });
});
