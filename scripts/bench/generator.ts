/** How many probes a second can be made, one thread, nothing sent: the engine's own code into memory that nobody sends. */

import { parseTargets } from "#shared/net/target-spec.ts";
import { stretchesOf } from "../../agent/engine/dry-run.ts";
import { generate, newGenerator } from "../../agent/engine/link/testing/generator.ts";
import { newPermutation } from "../../agent/engine/targets/permutation.ts";
import { portQuestions } from "../../agent/engine/targets/questions.ts";
import { buildSpace } from "../../agent/engine/targets/space.ts";
import { median, type Row } from "./row.ts";

const PROBES = 10_000_000;
/** Not counted: the compiler does its work meanwhile. */
const WARM_UP = 2_000_000;
const ROUNDS = 3;
const TARGET_MPPS = 20;
const SOURCE_PORT = 61_000;

const CASES = [
  { what: "10.0.0.0/8 × 1,000 ports", targets: "10.0.0.0/8", lastPort: 1_000, target: TARGET_MPPS },
  { what: "2001:db8::/104 × 1,000 ports", targets: "2001:db8::/104", lastPort: 1_000, target: undefined },
] as const;

export function generator(): Row[] {
  return CASES.map(({ what, targets, lastPort, target }) => {
    const questions = portQuestions([{ first: 1, last: lastPort }], [], () => []);
    const space = buildSpace(stretchesOf(parseTargets([targets])), questions);
    const prober = newGenerator(space, { k0: 1, k1: 2 });
    const permutation = newPermutation(space.size, 1);
    generate(prober, space, permutation, SOURCE_PORT, 0, WARM_UP);
    const rounds = Array.from({ length: ROUNDS }, (_, round) => {
      const startMs = performance.now();
      generate(prober, space, permutation, SOURCE_PORT, WARM_UP + round * PROBES, PROBES);
      return PROBES / (performance.now() - startMs) / 1_000;
    });
    prober.close();
    const millions = median(rounds);
    return {
      figure: "generator",
      tool: "portolan",
      value: `${millions.toFixed(1)} Mpps`,
      note: `${what}, one thread, position to finished frame${target === undefined ? "" : `; target ${target}`}`,
      met: target === undefined ? undefined : millions >= target,
    };
  });
}
