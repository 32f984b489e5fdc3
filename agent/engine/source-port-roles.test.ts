/** Each of our ports has one meaning, and all lie in the run that was reserved. */

import { expect, test } from "bun:test";
import { MAX_PASSES, SOUNDING_EPOCHS } from "./control-block.ts";
import { canaryPort, portOfPass, soundingPort, sourcePortCount } from "./source-port-roles.ts";

const FIRST = 61_000;

test.each(Array.from({ length: MAX_PASSES }, (_, i) => [i + 1]))("with %d passes", (passes) => {
  const ports = [
    ...Array.from({ length: passes }, (_, i) => portOfPass(FIRST, i + 1)),
    canaryPort(FIRST, passes),
    ...Array.from({ length: SOUNDING_EPOCHS }, (_, epoch) => soundingPort(FIRST, passes, epoch)),
  ];
  expect(ports).toEqual(Array.from({ length: sourcePortCount(passes) }, (_, i) => FIRST + i));
  // Epochs take turns.
  expect(soundingPort(FIRST, passes, SOUNDING_EPOCHS + 1)).toBe(soundingPort(FIRST, passes, 1));
});
