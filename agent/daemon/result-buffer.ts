/** What a job finds, gathered into batches on their way to the disk. */

import type { PortResult } from "#shared/protocol/job.ts";
import { MAX_RESULTS_PER_BATCH } from "#shared/protocol/limits.ts";

export class ResultBuffer {
  private readonly store: (results: readonly PortResult[]) => Promise<void>;
  private results: PortResult[] = [];
  /** Settles when all that was flushed so far is dealt with. Never rejects. */
  private flushing: Promise<void> = Promise.resolve();

  /** @param store keeps results; must not reject */
  constructor(store: (results: readonly PortResult[]) => Promise<void>) {
    this.store = store;
  }

  /** Stores when there is enough for a batch; whoever finds more waits for it. */
  async add(results: readonly PortResult[]): Promise<void> {
    this.results.push(...results);
    if (this.results.length >= MAX_RESULTS_PER_BATCH) await this.flush();
  }

  /** Stores what is here, after all that is being stored already: then nothing is on its way to the disk any more. */
  flush(): Promise<void> {
    this.flushing = this.flushing.then(async () => {
      const { results } = this;
      if (results.length === 0) return;
      this.results = [];
      await this.store(results);
    });
    return this.flushing;
  }
}
