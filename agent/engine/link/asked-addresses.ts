/** The addresses asked for on one link, and their places in the neighbour table: an answer names an address only. Pure. */

import { type AddressFamily, type AddressWords, ipv6OfWords } from "../targets/address-words.ts";
import { numberOfAddress } from "../targets/space.ts";
import type { RoutedTargets } from "./route-types.ts";
import { firstOwnHop, runOfNumber, segmentsOf } from "./way-table.ts";

/** Consecutive addresses with consecutive places. */
export interface AskedStretch {
  readonly first: AddressWords;
  readonly count: number;
  readonly firstHop: number;
}

export class AskedAddresses {
  private readonly family: AddressFamily;
  private readonly gateways: readonly AskedStretch[];
  /** A gateway may be wanted by several routes, and be a target too. */
  private readonly hopsOfGateway = new Map<bigint, number[]>();
  private readonly targets: Pick<RoutedTargets, "stretches" | "ways">;
  private readonly runs: ReadonlySet<number>;

  /**
   * @param gateways single addresses, in any order
   * @param runs of targets that lie on the link
   */
  constructor(
    family: AddressFamily,
    gateways: readonly AskedStretch[],
    targets: Pick<RoutedTargets, "stretches" | "ways">,
    runs: Iterable<number>,
  ) {
    this.family = family;
    this.gateways = gateways;
    this.targets = targets;
    this.runs = new Set(runs);
    for (const { first, firstHop } of gateways) {
      const address = ipv6OfWords(first);
      const hops = this.hopsOfGateway.get(address);
      if (hops === undefined) this.hopsOfGateway.set(address, [firstHop]);
      else hops.push(firstHop);
    }
  }

  /** In the order of asking: gateways first, because most targets wait for them. */
  *stretches(): Generator<AskedStretch> {
    yield* this.gateways;
    const { ways, stretches } = this.targets;
    for (const run of this.runs) yield* segmentsOf(ways, stretches, run);
  }

  /** Every place of the address; none where nobody asked for it. */
  hopsOf(words: AddressWords): readonly number[] {
    const hops = this.hopsOfGateway.get(ipv6OfWords(words)) ?? [];
    const place = this.placeAmongTargets(words);
    return place < 0 ? hops : [...hops, place];
  }

  private placeAmongTargets(words: AddressWords): number {
    const { ways, stretches } = this.targets;
    const number = numberOfAddress(stretches, this.family, words);
    const run = number < 0 ? -1 : runOfNumber(ways, number);
    return this.runs.has(run) ? firstOwnHop(ways, run) + number - (ways.offsets[run] ?? 0) : -1;
  }
}
