/** The life of one engine thread, as the main thread sees it: two promises, whatever way it ends. */

import { PortolanError } from "#shared/errors.ts";
import type { WorkerPlan } from "./plan.ts";
import type { WorkerMessage } from "./worker-messages.ts";

/** Workers come from the composition root, because a compiled program finds them only by URLs written there. */
export interface WorkerFactory {
  sender(): Worker;
  receiver(): Worker;
}

type Ended = Extract<WorkerMessage, { type: "ended" }>;

/** One thread. A Worker that fails in whatever way rejects both promises. */
export class EngineWorker {
  readonly ready: Promise<void>;
  readonly ended: Promise<Ended>;
  private readonly worker: Worker;
  private started = false;

  constructor(worker: Worker) {
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<Ended>();
    this.worker = worker;
    this.ready = ready.promise;
    this.ended = ended.promise;
    // A failure is reported through whichever promise is awaited; the other must not count as unhandled.
    this.ready.catch(() => undefined);
    this.ended.catch(() => undefined);
    const fail = (error: PortolanError): void => {
      ready.reject(error);
      ended.reject(error);
    };
    worker.addEventListener("message", (event: MessageEvent<WorkerMessage>) => {
      const message = event.data;
      if (message.type === "ready") ready.resolve();
      else if (message.type === "ended") ended.resolve(message);
      else fail(new PortolanError(message.code, message.message));
    });
    // A thread that ends without a word, for want of memory say, must not be waited for.
    worker.addEventListener("close", () =>
      fail(new PortolanError("ENGINE_FAILED", "a scan thread ended early")),
    );
    worker.addEventListener("error", (event) => {
      fail(new PortolanError("ENGINE_FAILED", `a scan thread failed: ${event.message}`));
    });
  }

  start(plan: WorkerPlan): void {
    this.started = true;
    this.worker.postMessage(plan);
  }

  /** Waits until its loop has returned, then ends the thread. */
  async stop(): Promise<void> {
    if (this.started) await Promise.allSettled([this.ended]);
    this.worker.terminate();
  }
}
