/**
 * What our source ports mean. A run of them is reserved for a scan; which one a probe leaves from tells, when its answer
 * comes, why it was sent: one port a pass, then one for canaries, then one for each epoch of soundings.
 */

import { SOUNDING_EPOCHS } from "./control-block.ts";

/** Ports that a scan of so many passes needs. */
export function sourcePortCount(passes: number): number {
  return passes + 1 + SOUNDING_EPOCHS;
}

export function portOfPass(firstSourcePort: number, pass: number): number {
  return firstSourcePort + pass - 1;
}

export function canaryPort(firstSourcePort: number, passes: number): number {
  return firstSourcePort + passes;
}

export function soundingPort(firstSourcePort: number, passes: number, epoch: number): number {
  return firstSourcePort + passes + 1 + (epoch % SOUNDING_EPOCHS);
}
