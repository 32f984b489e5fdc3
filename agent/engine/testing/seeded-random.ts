/** Numbers that look random and are the same in every run. */

/** @returns numbers in [0, 1), like Math.random (xorshift32: Marsaglia, "Xorshift RNGs", 2003) */
export function seededRandom(seed: number): () => number {
  // Zero would stay zero; small seeds give small first numbers.
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  return next;
}
