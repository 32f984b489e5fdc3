/**
 * Rebuilds agent/identify/data/mac-vendors.txt: `bun scripts/data/mac-vendors.ts`.
 *
 * Source: IEEE's public listings of MA-L, MA-M and MA-S assignments, facts that are published for everybody, by way of
 * the npm package `oui-data` (BSD-2-Clause). Blocks that the registry keeps for itself,
 * to hand them out in parts, are left out: they say nothing about who made a card.
 */

import { z } from "zod";
import { type NpmPackage, readPackageFile } from "./npm-package.ts";

const SOURCE: NpmPackage = {
  name: "oui-data",
  version: "2.1.9",
  integrity:
    "sha512-2e1a/eoOuGzAsY6S+/PVf9aXeafL8FkCyU+LXL2yNHm6jZVQx7fiu4Yu/3wWvHjQ0I6m+flmo7UeFg670zWvsw==",
};
const SOURCE_DATE = "2026-08-26";

const OUTPUT = new URL("../../agent/identify/data/mac-vendors.txt", import.meta.url).pathname;

/** Its lines sort before every prefix, which the lookup relies on. */
const HEADER = `# Makers of network cards: prefixes of their addresses (6, 7 or 9 hexadecimal digits), tab, name; sorted by bytes.
# IEEE Registration Authority, public listings of MA-L, MA-M and MA-S (facts, published for everybody; the package is
# BSD-2-Clause), https://regauth.standards.ieee.org, as in the npm package ${SOURCE.name} ${SOURCE.version} of ${SOURCE_DATE}.
# Built by scripts/data/mac-vendors.ts.
`;

const NO_MAKERS = new Set(["", "IEEE Registration Authority"]);

/** Prefix → name and postal address, a line each. */
const listingSchema = z.record(z.string().regex(/^(?:[0-9A-F]{6}|[0-9A-F]{7}|[0-9A-F]{9})$/), z.string());

function format(listing: z.infer<typeof listingSchema>): string {
  const lines = Object.entries(listing).flatMap(([prefix, entry]) => {
    const name = (entry.split("\n")[0] ?? "").replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
    return NO_MAKERS.has(name) ? [] : [`${prefix.toLowerCase()}\t${name}\n`];
  });
  return HEADER + lines.toSorted((a, b) => (a < b ? -1 : 1)).join("");
}

const listing = listingSchema.parse(JSON.parse(await readPackageFile(SOURCE, "index.json")));
const bytes = await Bun.write(OUTPUT, format(listing));
process.stdout.write(`${OUTPUT}: ${bytes} bytes\n`);
