/** The wire version and its floor. */

import { expect, test } from "bun:test";
import packageJson from "../../package.json";
import { MIN_WIRE_VERSION, PORTOLAN_VERSION, WIRE_VERSION } from "./version.ts";

test("an agent of this version is served by a control plane of this version", () => {
  expect(MIN_WIRE_VERSION).toBeGreaterThanOrEqual(1);
  expect(WIRE_VERSION).toBeGreaterThanOrEqual(MIN_WIRE_VERSION);
});

test("the programs tell the version of the package", () => {
  expect(PORTOLAN_VERSION).toBe(packageJson.version);
});
