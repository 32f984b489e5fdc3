import { describe, expect, test } from "bun:test";
import { assert, property, string } from "fast-check";
import { fillInstallScript, installCommand, shellQuote } from "./install-script.ts";

describe("the install script", () => {
  test("gets server and token in place of the marker's line", () => {
    const filled = fillInstallScript(
      "#!/bin/sh\n# portolan:provisioning\nmain",
      "https://example.org",
      "ptl_prov_x",
    );
    expect(filled).toBe(
      "#!/bin/sh\nPORTOLAN_SERVER='https://example.org'\nPORTOLAN_TOKEN='ptl_prov_x'\nmain",
    );
  });

  test("without the marker is not served", () => {
    expect(() => fillInstallScript("#!/bin/sh\n # portolan:provisioning", "s", "t")).toThrow("has no line");
  });
});

test("the install line fetches the script with the token", () => {
  expect(installCommand("http://127.0.0.1:8420", "ptl_prov_x")).toBe(
    "curl -fsSL -H 'Authorization: Bearer ptl_prov_x' 'http://127.0.0.1:8420/scanner/install' | sudo sh",
  );
});

test("a quoted text is one word of a shell, whatever it holds", () => {
  assert(
    property(string({ unit: "grapheme" }), (text) => {
      const shown = Bun.spawnSync(["sh", "-c", `printf %s ${shellQuote(text.replaceAll("\0", ""))}`]);
      expect(shown.stdout.toString()).toBe(text.replaceAll("\0", ""));
    }),
    { numRuns: 50, examples: [["it's $HOME `id` \"\n\\"]] },
  );
});
