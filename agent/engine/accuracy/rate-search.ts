/**
 * Finds the fastest rate that loses nothing: `--rate auto`. Pure: counts come in, a rate and the reason for it go out.
 *
 * Time is cut into epochs. In each, some probes that are known to be answered are asked again (soundings); the share that
 * stays silent is the loss at that rate. Soundings are gathered until they tell something; then there are three moves:
 * - No more loss than the network's own: the rate grows, by half at first and gently once a limit was met.
 * - More: the rate falls to what came through, rate × (1 - loss). That is the limit of a bottleneck that drops what is too
 *   much, or less, so the loss there is the network's own and can be measured.
 * - Measured there: when most of the loss went away with the rate, the limit is known. When it stayed it is the network's
 *   own, which is not chased, and the rate goes back up.
 */

export const START_RATE_PPS = 1_000;
export const MAX_AUTO_RATE_PPS = 10_000_000;
export const MIN_AUTO_RATE_PPS = 10;
/** Without any answer nothing is known; beyond this it would be a guess. */
const BLIND_LIMIT_PPS = 10_000;
/** Of what the network itself lets through, the share whose loss is taken for too fast. */
const TARGET_LOSS = 0.02;
/** Soundings that tell something while no limit was met: far from it little is needed, and beyond it loss is plain. */
const MIN_SOUNDINGS = 20;
/** Near a limit fewer than these tell nothing. */
const MIN_EARLY = 60;
/** Soundings wanted near a limit: enough that chance makes less than NEAR_CHANCE of loss, within these bounds. */
const MIN_NEAR = 100;
const MAX_NEAR = 600;
const NEAR_CHANCE = 0.035;
/** Standard deviations that are no chance: of a whole measurement, and of one that is not finished, looked at often. */
const SURE = 2;
const SURE_EARLY = 3;
/** Loss that is assumed of a network that has shown none, so that one silent sounding is nothing. */
const LEAST_LOSS = 0.005;
/** Growth of one step. Near a limit it begins small, and grows while the limit is not met again: it may have gone. */
const FAST_GROWTH = 0.5;
const SLOW_GROWTH = 0.04;
const GROWTH_OF_GROWTH = 1.3;
/** A little below what came through, so that a queue that has filled can empty. */
const MARGIN = 0.97;
/** Further below while the network's own loss is not known: it must be measured where nothing else is lost. */
const FIRST_MARGIN = 0.8;
/** Where the engine itself drops, more is dropped than soundings can tell. */
const DROP_FACTOR = 0.7;
/** A sender that does not reach its rate gains nothing from a higher one. */
const REACHED = 0.85;
/** The next epoch that is judged after a change was still sent at the old rate; a queue needs one more to empty. */
const HOLD_AFTER_GROWTH = 1;
const HOLD_AFTER_FALL = 2;
/** Soundings that the network's own loss is told from, at most: what is older is forgotten little by little. */
const MAX_BASE_SOUNDINGS = 1_000;

export interface EpochCounts {
  readonly soundingsSent: number;
  readonly soundingsAnswered: number;
  /** Packets a second that really went out. */
  readonly sentPps: number;
  /** Answers that the kernel's ring had no room for, and packets that the kernel refused to send. */
  readonly drops: number;
}

export interface RateMove {
  readonly ratePps: number;
  readonly why: string;
}

/** The rate and loss that made the search lower the rate. */
interface Suspicion {
  readonly ratePps: number;
  readonly loss: number;
  /** How many tell it. */
  readonly soundings: number;
}

export class RateSearch {
  ratePps = START_RATE_PPS;
  /** Loss that is there at any rate, and how many soundings tell it; 0 while it was not measured. */
  private baseLoss = 0;
  private baseSoundings = 0;
  private growth = FAST_GROWTH;
  private suspicion: Suspicion | undefined;
  private hold = 0;
  private sounded = false;
  /** Gathered since the rate last changed. */
  private epochs = 0;
  private sent = 0;
  private answered = 0;
  private sumOfPps = 0;

  /** Takes in one epoch. Returns what changes, or undefined where the rate stays. */
  next(epoch: EpochCounts): RateMove | undefined {
    if (epoch.drops > 0) {
      this.growth = SLOW_GROWTH;
      this.suspicion = undefined;
      return this.move(
        this.ratePps * DROP_FACTOR,
        HOLD_AFTER_FALL,
        `this host dropped ${epoch.drops} packets`,
      );
    }
    if (this.hold > 0) {
      this.hold--;
      return undefined;
    }
    this.epochs++;
    this.sent += epoch.soundingsSent;
    // A host that repeats its answer is no proof of another.
    this.answered += Math.min(epoch.soundingsSent, epoch.soundingsAnswered);
    this.sumOfPps += epoch.sentPps;
    this.sounded ||= epoch.soundingsSent > 0;
    if (!this.sounded) return this.grow(BLIND_LIMIT_PPS, "nothing answers yet");
    if (this.sent < (this.isNearLimit() ? MIN_EARLY : MIN_SOUNDINGS)) return undefined;
    const loss = 1 - this.answered / this.sent;
    return this.suspicion === undefined ? this.judge(loss) : this.compare(this.suspicion, loss);
  }

  /** Is this more than the network's own loss? */
  private judge(loss: number): RateMove | undefined {
    const { baseLoss, sent } = this;
    const isWhole = sent >= this.wanted(baseLoss);
    const chance = Math.hypot(chanceOf(baseLoss, sent), chanceOf(baseLoss, this.baseSoundings));
    const bearable = baseLoss + TARGET_LOSS * (1 - baseLoss) + (isWhole ? SURE : SURE_EARLY) * chance;
    if (loss > bearable) return this.fall(loss);
    if (!isWhole) return undefined;
    if (!this.isNearLimit()) this.learnBase(loss);
    return this.grow(MAX_AUTO_RATE_PPS, `${percent(loss)} lost`);
  }

  /** At the lower rate: did most of the loss go away with it? */
  private compare(suspicion: Suspicion, loss: number): RateMove | undefined {
    const { baseLoss } = this;
    if (this.sent < this.wanted(this.baseSoundings > 0 ? baseLoss : suspicion.loss)) return undefined;
    this.suspicion = undefined;
    // More is lost although less is sent: the limit has fallen meanwhile.
    const chance = Math.hypot(chanceOf(loss, this.sent), chanceOf(loss, suspicion.soundings));
    if (loss > suspicion.loss + SURE_EARLY * chance) return this.fall(loss);
    const isOwn = loss > (baseLoss + suspicion.loss) / 2;
    // What was taken for the network's own was too little or, as nothing is lost by being slow, too much.
    if (isOwn || loss < baseLoss - SURE * chanceOf(baseLoss, this.sent)) this.baseSoundings = 0;
    this.learnBase(loss);
    if (isOwn)
      return this.move(suspicion.ratePps, HOLD_AFTER_GROWTH, `${percent(loss)} are lost at any rate`);
    this.growth = SLOW_GROWTH;
    const limitPps = Math.max(this.ratePps, limitAt(suspicion, this.baseLoss));
    return this.move(limitPps, HOLD_AFTER_GROWTH, `only ${percent(loss)} lost below it`);
  }

  private fall(loss: number): RateMove {
    this.suspicion = { ratePps: Math.min(this.ratePps, this.reachedPps()), loss, soundings: this.sent };
    const margin = this.baseSoundings === 0 ? FIRST_MARGIN : 1;
    return this.move(
      limitAt(this.suspicion, this.baseLoss) * margin,
      HOLD_AFTER_FALL,
      `${percent(loss)} lost`,
    );
  }

  private learnBase(loss: number): void {
    const soundings = this.baseSoundings + this.sent;
    this.baseLoss = (this.baseLoss * this.baseSoundings + loss * this.sent) / soundings;
    this.baseSoundings = Math.min(MAX_BASE_SOUNDINGS, soundings);
  }

  private grow(limitPps: number, why: string): RateMove | undefined {
    const isReached = this.reachedPps() >= this.ratePps * REACHED;
    const next = Math.min(limitPps, this.ratePps * (1 + this.growth));
    if (isReached && next > this.ratePps) {
      this.growth = Math.min(FAST_GROWTH, this.growth * GROWTH_OF_GROWTH);
      return this.move(next, HOLD_AFTER_GROWTH, why);
    }
    this.forget();
    return undefined;
  }

  private move(ratePps: number, hold: number, why: string): RateMove {
    this.ratePps = Math.min(MAX_AUTO_RATE_PPS, Math.max(MIN_AUTO_RATE_PPS, Math.round(ratePps)));
    this.hold = hold;
    this.forget();
    return { ratePps: this.ratePps, why };
  }

  private forget(): void {
    this.epochs = 0;
    this.sent = 0;
    this.answered = 0;
    this.sumOfPps = 0;
  }

  /** Soundings that make a whole measurement, where so much is lost anyway. */
  private wanted(loss: number): number {
    if (!this.isNearLimit() && this.suspicion === undefined) return MIN_SOUNDINGS;
    const share = Math.max(loss, LEAST_LOSS);
    const enough = (share * (1 - share)) / (NEAR_CHANCE / SURE) ** 2;
    return Math.min(MAX_NEAR, Math.max(MIN_NEAR, enough));
  }

  private isNearLimit(): boolean {
    return this.growth < FAST_GROWTH;
  }

  private reachedPps(): number {
    return this.epochs === 0 ? 0 : this.sumOfPps / this.epochs;
  }
}

/** The rate that gets through a bottleneck: what came through, beside the loss that is there at any rate. */
function limitAt({ ratePps, loss }: Suspicion, baseLoss: number): number {
  return ratePps * ((1 - loss) / (1 - baseLoss)) * MARGIN;
}

/** Standard deviation of a share measured by so many soundings; of none, no allowance is made. */
function chanceOf(share: number, soundings: number): number {
  if (soundings === 0) return 0;
  const least = Math.max(share, LEAST_LOSS);
  return Math.sqrt((least * (1 - least)) / soundings);
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
