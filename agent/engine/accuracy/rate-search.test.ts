/** The search against simulated networks: a bottleneck that drops what is too much, and loss of the network's own. */

import { describe, expect, test } from "bun:test";
import { seededRandom } from "../testing/seeded-random.ts";
import {
  type EpochCounts,
  MAX_AUTO_RATE_PPS,
  MIN_AUTO_RATE_PPS,
  RateSearch,
  START_RATE_PPS,
} from "./rate-search.ts";

const EPOCH_SECONDS = 0.3;
/** As the sender asks: one probe in sixteen, up to a bound. */
const SOUNDING_EVERY = 8;
const MAX_SOUNDINGS = 200;

interface Network {
  /** Packets a second that pass at most. */
  bottleneckPps: number;
  readonly baseLoss: number;
  /** What the sender manages. */
  readonly senderPps: number;
  /** Rates beyond it make the host itself drop. */
  readonly dropsBeyondPps?: number;
}

const OPEN_NETWORK: Network = { bottleneckPps: Infinity, baseLoss: 0, senderPps: Infinity };

/** Runs a search; each epoch is judged one epoch after its end, as the rate timer does. */
class Simulation {
  readonly search = new RateSearch();
  readonly rates: number[] = [];
  private readonly random: () => number;
  private readonly network: Network;
  private last: EpochCounts | undefined;

  constructor(network: Network, seed: number) {
    this.network = network;
    this.random = seededRandom(seed);
  }

  run(epochs: number): readonly number[] {
    const from = this.rates.length;
    for (let i = 0; i < epochs; i++) {
      const { ratePps } = this.search;
      this.rates.push(ratePps);
      const counts = this.epochAt(ratePps);
      const { drops } = counts;
      if (this.last !== undefined) this.search.next({ ...this.last, drops });
      this.last = counts;
    }
    return this.rates.slice(from);
  }

  private epochAt(ratePps: number): EpochCounts {
    const { bottleneckPps, baseLoss, senderPps, dropsBeyondPps = Infinity } = this.network;
    const sentPps = Math.min(ratePps, senderPps);
    const passes = (1 - baseLoss) * Math.min(1, bottleneckPps / sentPps);
    const soundingsSent = Math.min(MAX_SOUNDINGS, Math.floor((sentPps * EPOCH_SECONDS) / SOUNDING_EVERY));
    let soundingsAnswered = 0;
    for (let i = 0; i < soundingsSent; i++) if (this.random() < passes) soundingsAnswered++;
    return { soundingsSent, soundingsAnswered, sentPps, drops: sentPps > dropsBeyondPps ? 100 : 0 };
  }
}

/** Two minutes to find it at the slowest, then as long again to stay there. */
const SETTLE_EPOCHS = 400;

describe("a bottleneck is found and kept to within 20 %", () => {
  const bottlenecks = [500, 800, 952, 1_000, 1_100, 2_000, 5_000, 20_000, 100_000, 300_000, 1_000_000];
  const cases = bottlenecks.flatMap((bottleneckPps) =>
    [0, 0.01, 0.2].map((baseLoss) => [bottleneckPps, baseLoss] as const),
  );

  test.each(cases)("of %d packets/s, with %d lost anyway", (bottleneckPps, baseLoss) => {
    let astray = 0;
    for (let seed = 1; seed <= 10; seed++) {
      const simulation = new Simulation({ ...OPEN_NETWORK, bottleneckPps, baseLoss }, seed);
      simulation.run(SETTLE_EPOCHS);
      const rates = simulation.run(SETTLE_EPOCHS);
      const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
      const far = (ratePps: number): number => Math.abs(ratePps / bottleneckPps - 1);
      if (far(mean) > 0.2) throw new Error(`seed ${seed}: ${mean} packets/s on average`);
      astray += rates.filter((rate) => far(rate) > 0.2).length;
    }
    // Growing meets the limit again and again; chance lets an epoch go by before it is noticed.
    expect(astray / (10 * SETTLE_EPOCHS)).toBeLessThan(0.1);
  });
});

describe("without a bottleneck", () => {
  test.each([0, 0.01, 0.2, 0.5])("grows to what the sender reaches, with %d lost anyway", (baseLoss) => {
    for (let seed = 1; seed <= 10; seed++) {
      const senderPps = 400_000;
      const simulation = new Simulation({ ...OPEN_NETWORK, baseLoss, senderPps }, seed);
      simulation.run(SETTLE_EPOCHS);
      const rates = simulation.run(SETTLE_EPOCHS);
      const used = rates.reduce((sum, rate) => sum + Math.min(rate, senderPps), 0) / rates.length;
      if (used < senderPps * 0.8) throw new Error(`seed ${seed}: ${used} packets/s of ${senderPps}`);
      // No further than it gains anything.
      expect(Math.max(...rates)).toBeLessThan(senderPps * 2);
    }
  });

  test("grows to the greatest rate in a quarter of a minute, and not beyond", () => {
    const simulation = new Simulation(OPEN_NETWORK, 1);
    simulation.run(50);
    expect(simulation.search.ratePps).toBe(MAX_AUTO_RATE_PPS);
    expect(
      simulation.search.next({ soundingsSent: 200, soundingsAnswered: 200, sentPps: 1e8, drops: 0 }),
    ).toBe(undefined);
  });
});

test("follows a bottleneck that comes and goes", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const network: Network = { ...OPEN_NETWORK, baseLoss: 0.01, bottleneckPps: 50_000 };
    const simulation = new Simulation(network, seed);
    for (const bottleneckPps of [50_000, 5_000, 200_000, 20_000]) {
      network.bottleneckPps = bottleneckPps;
      simulation.run(200);
      const rates = simulation.run(100);
      const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
      if (Math.abs(mean / bottleneckPps - 1) > 0.2) {
        throw new Error(`seed ${seed}: ${mean} packets/s through ${bottleneckPps}`);
      }
    }
  }
});

test("backs off where this host drops, and stays near what it can take", () => {
  const simulation = new Simulation({ ...OPEN_NETWORK, dropsBeyondPps: 30_000 }, 1);
  simulation.run(100);
  const rates = simulation.run(200);
  expect(Math.max(...rates)).toBeLessThan(30_000 * 1.5);
  expect(Math.min(...rates)).toBeGreaterThan(30_000 * 0.5);
});

test("keeps to a guess where nothing answers", () => {
  const search = new RateSearch();
  for (let i = 0; i < 100; i++) {
    search.next({ soundingsSent: 0, soundingsAnswered: 0, sentPps: search.ratePps, drops: 0 });
  }
  expect(search.ratePps).toBe(10_000);
});

test("goes no further down than its least rate, and says why it moves", () => {
  const search = new RateSearch();
  expect(search.ratePps).toBe(START_RATE_PPS);
  const nothingCame = { soundingsSent: 200, soundingsAnswered: 0, sentPps: START_RATE_PPS, drops: 0 };
  expect(search.next(nothingCame)).toEqual({ ratePps: MIN_AUTO_RATE_PPS, why: "100.0 % lost" });
  expect(search.next({ ...nothingCame, drops: 3 })?.why).toBe("this host dropped 3 packets");
});

test("an answer that comes twice hides no loss", () => {
  const search = new RateSearch();
  const counts = { soundingsSent: 30, soundingsAnswered: 90, sentPps: 0, drops: 0 };
  search.next(counts);
  // Had sixty of them been kept for later, this would look like no loss.
  search.next({ ...counts, soundingsSent: 40, soundingsAnswered: 0, sentPps: START_RATE_PPS });
  expect(search.ratePps).toBeLessThan(START_RATE_PPS);
});
