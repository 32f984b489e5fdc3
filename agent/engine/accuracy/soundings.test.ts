/** The last ports that answered, to be asked again. */

import { expect, test } from "bun:test";
import { knownTargets, newSoundingTargets, noteAnswering, type SoundingTargets } from "./soundings.ts";

const KNOWN = 256;

function known(targets: SoundingTargets): Set<string> {
  return new Set(
    Array.from(
      { length: knownTargets(targets) },
      (_, at) => `${targets.addressNumbers[at]} ${targets.ports[at]}`,
    ),
  );
}

test("holds the latest, as many as it has room for, however many there were", () => {
  const targets = newSoundingTargets();
  expect(knownTargets(targets)).toBe(0);
  for (let n = 1; n <= 5 * KNOWN + 7; n++) {
    noteAnswering(targets, 2 ** 40 + n, n % 65_536);
    expect(knownTargets(targets)).toBe(Math.min(n, KNOWN));
    const latest = Array.from(
      { length: Math.min(n, KNOWN) },
      (_, i) => `${2 ** 40 + n - i} ${(n - i) % 65_536}`,
    );
    if (n % 50 === 0 || n < 5) expect(known(targets)).toEqual(new Set(latest));
  }
});

test("is in shared memory, where other threads see it", () => {
  const { cursor, addressNumbers, ports } = newSoundingTargets();
  for (const { buffer } of [cursor, addressNumbers, ports]) expect(buffer).toBeInstanceOf(SharedArrayBuffer);
});
