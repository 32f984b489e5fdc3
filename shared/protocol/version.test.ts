/** The version that both programs tell. Which wire versions are served is tested where they are. */

import { expect, test } from "bun:test";
import packageJson from "../../package.json";
import { isOlderVersion, PORTOLAN_VERSION } from "./version.ts";

test("the programs tell the version of the package", () => {
  expect(PORTOLAN_VERSION).toBe(packageJson.version);
});

test.each([
  ["1.2.3", "1.2.4", true],
  ["1.9.0", "1.10.0", true],
  ["2.0.0", "1.99.99", false],
  ["1.2.3", "1.2.3", false],
  ["", "1.2.3", undefined],
] as const)("version %s comes before %s: %p", (version, other, isOlder) => {
  expect(isOlderVersion(version, other)).toBe(isOlder);
});
