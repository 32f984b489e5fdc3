/** How many probes a second can be made, one thread, nothing sent: the engine's own code into memory that nobody sends. */

import { parseTargets } from "#shared/net/target-spec.ts";
import { newGenerator } from "../../agent/engine/testing/generator.ts";
import { aPlan } from "../../agent/engine/testing/plan.ts";
import { median, type Row } from "./row.ts";

const PROBES = 10_000_000;
/** Not counted: the compiler does its work meanwhile. */
const WARM_UP = 2_000_000;
const ROUNDS = 3;
const TARGET_MPPS = 20;

const CASES = [
  { what: "10.0.0.0/8 × 1,000 ports", targets: "10.0.0.0/8", lastPort: 1_000, target: TARGET_MPPS },
  { what: "2001:db8::/104 × 1,000 ports", targets: "2001:db8::/104", lastPort: 1_000, target: undefined },
] as const;

export function generator(): Row[] {
  return CASES.map(({ what, targets, lastPort, target }) => {
    const addresses = parseTargets([targets]);
    const plan = aPlan(
      { addresses, tcpPorts: [{ first: 1, last: lastPort }] },
      { reaches: ["gateway"], lanes: 1 },
    );
    const generator = newGenerator(plan);
    generator.generate(0, WARM_UP);
    const rounds = Array.from({ length: ROUNDS }, (_, round) => {
      const startMs = performance.now();
      generator.generate(WARM_UP + round * PROBES, PROBES);
      return PROBES / (performance.now() - startMs) / 1_000;
    });
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
