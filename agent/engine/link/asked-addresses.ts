/** The addresses asked for on one link, and their places in the neighbour table: an answer names an address only. Pure. */

import { type AddressWords, ipv6OfWords } from "../targets/address-words.ts";

/** Consecutive addresses with consecutive places. */
export interface AskedStretch {
  readonly first: AddressWords;
  readonly count: number;
  readonly firstHop: number;
}

export class AskedAddresses {
  /** A gateway may be wanted by several routes, and be a target too. */
  private readonly gateways = new Map<bigint, number[]>();
  private readonly hosts: readonly AskedStretch[];
  private readonly starts: readonly bigint[];

  /**
   * @param gateways single addresses, in any order
   * @param hosts disjoint
   */
  constructor(gateways: readonly AskedStretch[], hosts: readonly AskedStretch[]) {
    for (const { first, firstHop } of gateways) {
      const address = ipv6OfWords(first);
      const hops = this.gateways.get(address);
      if (hops === undefined) this.gateways.set(address, [firstHop]);
      else hops.push(firstHop);
    }
    const sorted = hosts
      .map((stretch) => ({ stretch, start: ipv6OfWords(stretch.first) }))
      .toSorted((a, b) => (a.start < b.start ? -1 : 1));
    this.hosts = sorted.map(({ stretch }) => stretch);
    this.starts = sorted.map(({ start }) => start);
  }

  /** Every place of the address; none where nobody asked for it. */
  hopsOf(words: AddressWords): readonly number[] {
    const address = ipv6OfWords(words);
    const hops = this.gateways.get(address) ?? [];
    const place = this.placeAmongHosts(address);
    return place < 0 ? hops : [...hops, place];
  }

  private placeAmongHosts(address: bigint): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.starts[middle] ?? 0n) <= address) low = middle;
      else high = middle - 1;
    }
    const stretch = this.hosts[low];
    const within = address - (this.starts[low] ?? 0n);
    if (stretch === undefined || within < 0n || within >= BigInt(stretch.count)) return -1;
    return stretch.firstHop + Number(within);
  }
}

/** The address `offset` places after `first`. */
export function addressAfter([w0, w1, w2, w3]: AddressWords, offset: number): AddressWords {
  const low = (w3 >>> 0) + offset;
  return [w0, w1, (w2 + Math.floor(low / 2 ** 32)) | 0, low | 0];
}
