/** Inventory of this host, as registration takes it. */

import { expect, test } from "bun:test";
import { hostname, networkInterfaces } from "node:os";
import { registerRequestSchema } from "#shared/protocol/scanner.ts";
import { hostFacts, internalIp } from "./facts.ts";

test("hostFacts fits a registration", () => {
  const request = { token: "ptl_prov_x", installId: crypto.randomUUID(), ...hostFacts() };
  expect(registerRequestSchema.parse(request)).toEqual(request);
  expect(hostFacts()).toMatchObject({ hostname: hostname(), os: "linux" });
});

test("internalIp is an address of a card, never of loopback", () => {
  const address = internalIp();
  const own = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal }) => !internal)
    .map((entry) => entry.address);
  expect(address === undefined ? own.length === 0 : own.includes(address)).toBe(true);
});
