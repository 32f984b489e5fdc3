/** Routed targets as tests look at them: one list of all segments. */

import type { RoutedTargets } from "../route-types.ts";
import { type RouteSegment, segmentsOf } from "../way-table.ts";

export function allSegments({ ways, stretches }: Pick<RoutedTargets, "ways" | "stretches">): RouteSegment[] {
  return Array.from(ways.routes, (_, run) => [...segmentsOf(ways, stretches, run)]).flat();
}
