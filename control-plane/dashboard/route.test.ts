import { expect, test } from "bun:test";
import * as fc from "fast-check";
import { parseRoute, SCANNERS_HREF, SCANS_HREF, scanHref, START_SCAN_HREF } from "./route.ts";

test.each([
  ["", "scanners"],
  ["#", "scanners"],
  ["#/", "scanners"],
  [SCANNERS_HREF, "scanners"],
  [SCANS_HREF, "scans"],
  [START_SCAN_HREF, "start-scan"],
  ["#/scans/0", "unknown"],
  ["#/scans/-1", "unknown"],
  ["#/scans/1/", "unknown"],
  ["#/scans/9999999999999999", "unknown"],
  ["#javascript:alert(1)", "unknown"],
] as const)("%j is the page %s", (hash, page) => {
  expect(parseRoute(hash).page).toBe(page);
});

test("the address of a scan leads to it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (id) => {
      expect(parseRoute(scanHref(id))).toEqual({ page: "scan", id });
    }),
  );
});
