/** Where targets come from: words, files, standard input, names; and that what is wrong is found again in its file. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { formatAddressSet } from "#shared/net/target-spec.ts";
import type { ScanFlags } from "./scan-flags.ts";
import { readTargets } from "./scan-targets.ts";

let folder: string;
let list: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "portolan-targets-"));
  list = join(folder, "list.txt");
  writeFileSync(list, "# the office\n10.0.0.0/30 # with the printer\n\n10.0.1.1,2001:db8::1\n");
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

interface Stdin {
  readonly isTerminal: boolean;
  readonly text: string;
}

const TERMINAL: Stdin = { isTerminal: true, text: "" };

async function read(words: readonly string[], flags: ScanFlags = {}, stdin = TERMINAL): Promise<string[]> {
  const addresses = await readTargets(words, flags, {
    stdinIsTerminal: stdin.isTerminal,
    stdin: () => new Blob([stdin.text]).stream(),
  });
  return addresses === undefined ? ["none"] : formatAddressSet(addresses);
}

describe("targets come from", () => {
  test("words, in any number and both families", async () => {
    expect(await read(["10.0.0.1,10.0.0.2", "2001:db8::1"])).toEqual(["10.0.0.1-10.0.0.2", "2001:db8::1"]);
  });

  test("files, with comments", async () => {
    expect(await read(["10.0.2.1"], { targetsFile: [list] })).toEqual([
      "10.0.0.0/30",
      "10.0.1.1",
      "10.0.2.1",
      "2001:db8::1",
    ]);
  });

  test("standard input, where it is asked for", async () => {
    const stdin = { isTerminal: false, text: "10.0.0.2\n10.0.0.3 # last\n" };
    expect(await read(["10.0.0.9", "-"], {}, stdin)).toEqual(["10.0.0.2/31", "10.0.0.9"]);
  });

  test("standard input, where nothing else names one", async () => {
    expect(await read([], {}, { isTerminal: false, text: "10.0.0.2" })).toEqual(["10.0.0.2"]);
    expect(await read(["10.0.0.9"], {}, { isTerminal: false, text: "10.0.0.2" })).toEqual(["10.0.0.9"]);
    expect(await read([], { resume: "file" }, { isTerminal: false, text: "10.0.0.2" })).toEqual(["none"]);
  });

  test("names, of the family asked for", async () => {
    expect(await read(["localhost"], { ipv4: true })).toEqual(["127.0.0.1"]);
  });

  test("nowhere", async () => {
    expect(await read([])).toEqual(["none"]);
    expect(await read([], {}, { isTerminal: false, text: "# nothing\n" })).toEqual(["none"]);
  });
});

test("a list may have more words than a call takes arguments", async () => {
  const long = join(folder, "long.txt");
  writeFileSync(long, `${"::1 ".repeat(1_000)}\n`.repeat(900));
  expect(await read([], { targetsFile: [long] })).toEqual(["::1"]);
}, 30_000);

test("exclusions are taken away, by word and by file", async () => {
  const exclusions = join(folder, "exclude.txt");
  writeFileSync(exclusions, "10.0.0.2\n2001:db8::/32\n");
  expect(
    await read(["10.0.0.0/29", "2001:db8::1"], { exclude: ["10.0.0.4/30"], excludeFile: [exclusions] }),
  ).toEqual(["10.0.0.0/31", "10.0.0.3"]);
});

describe("an error names", () => {
  test.each([
    ["the word", ["10.0.0.256"], {}, "10.0.0.256"],
    ["an exclusion", ["10.0.0.1"], { exclude: ["10.0.0.1/33"] }, "10.0.0.1/33"],
    ["a file that is not there", [], { targetsFile: ["/nonexistent/list"] }, "/nonexistent/list"],
    ["both families at once", ["10.0.0.1"], { ipv4: true, ipv6: true }, "-4 and -6"],
    ["that nothing is left", ["10.0.0.1"], { exclude: ["10.0.0.0/8"] }, "no address is left"],
    ["a terminal to be read from", ["-"], {}, "'-'"],
  ])("%s", async (_what, words, flags, named) => {
    await expect(read(words, flags)).rejects.toThrow(named);
  });

  test("file and line", async () => {
    const wrong = join(folder, "wrong.txt");
    writeFileSync(wrong, "10.0.0.1\n10.0.0.1-10.0.0.0\n");
    await expect(read([], { targetsFile: [wrong] })).rejects.toThrow(`${wrong}, line 2`);
    await expect(read(["-"], {}, { isTerminal: false, text: "10.0.0.300" })).rejects.toThrow(
      "standard input, line 1",
    );
  });
});
