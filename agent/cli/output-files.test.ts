/** Which files of one command line would spoil each other. */

import { expect, test } from "bun:test";
import { refuseSharedFiles } from "./output-files.ts";
import type { ScanFlags } from "./scan-flags.ts";

test.each<[ScanFlags, string]>([
  [{ output: "a.json", summary: "a.json" }, "--summary would write over the file of --output, 'a.json'"],
  [{ output: "a.json", pcap: "./b/../a.json" }, "--pcap would write over the file of --output"],
  [{ output: "list.txt", targetsFile: ["other", "list.txt"] }, "over the file of --targets-file, 'list.txt'"],
  [{ output: "list.txt", excludeFile: ["list.txt"] }, "over the file of --exclude-file"],
  [{ summary: "r.json", resume: "r.json" }, "over the file of --resume"],
  [{ output: "" }, "--output must be a file"],
  [{ targetsFile: [""] }, "--targets-file must be a file"],
])("%j is refused", (flags, named) => {
  expect(() => refuseSharedFiles(flags)).toThrow(named);
});

test.each<[ScanFlags]>([
  [{}],
  [{ output: "a.json", summary: "b.json", pcap: "c.pcap", targetsFile: ["d"], resume: "e" }],
  [{ output: "/dev/null", summary: "/dev/null" }],
  [{ targetsFile: ["list", "list"], excludeFile: ["list"] }],
])("%j is taken", (flags) => {
  expect(() => refuseSharedFiles(flags)).not.toThrow();
});
