/** The version that both programs tell. Which wire versions are served is tested where they are. */

import { expect, test } from "bun:test";
import packageJson from "../../package.json";
import { PORTOLAN_VERSION } from "./version.ts";

test("the programs tell the version of the package", () => {
  expect(PORTOLAN_VERSION).toBe(packageJson.version);
});
