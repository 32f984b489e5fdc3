/** What property tests of packets draw: addresses and probes of both families. */

import * as fc from "fast-check";
import type { AddressFamily, AddressWords } from "../../targets/address-words.ts";
import { ICMP_ECHO, PROBE_KINDS } from "../probe-kind.ts";
import type { Probe } from "./packets.ts";

export const FIRST_PORT = 61_000;
export const PORT_COUNT = 5;

const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });

export function address(family: AddressFamily): fc.Arbitrary<AddressWords> {
  const high = family === 4 ? fc.constant(0) : word;
  return fc.tuple(high, high, high, word);
}

export const family: fc.Arbitrary<AddressFamily> = fc.constantFrom(4, 6);

/** @param kinds those to draw from; all of them where it is left out */
export function probe(...kinds: readonly number[]): fc.Arbitrary<Probe> {
  const kind = kinds.length === 0 ? fc.nat(PROBE_KINDS - 1) : fc.constantFrom(...kinds);
  return fc.tuple(family, kind).chain(([family, kind]) =>
    fc.record({
      family: fc.constant(family),
      kind: fc.constant(kind),
      source: address(family),
      target: address(family),
      sourcePort: fc.integer({ min: FIRST_PORT, max: FIRST_PORT + PORT_COUNT - 1 }),
      targetPort: kind === ICMP_ECHO ? fc.constant(0) : fc.nat(65_535),
    }),
  );
}
