/** Data that is asked for again and again while someone looks: nothing is asked in a hidden tab. */

import { useEffect, useState } from "preact/hooks";
import { ApiError } from "./api-error.ts";

export interface Polled<T> {
  /** The last answer; stays while later calls are under way, or fail. */
  readonly data: T | undefined;
  /** The last call's error, if it failed. */
  readonly error: Error | undefined;
  /** Asks now. */
  readonly refresh: () => void;
}

/**
 * @param load asks once; what it reads from its surroundings must be in `key`
 * @param key another key asks at once, and the former answer stays until the new one is there
 * @param pauseMs between an answer and the next question; undefined: no more questions
 */
export function usePolled<T>(
  load: (signal: AbortSignal) => Promise<T>,
  key: string,
  pauseMs: (data: T | undefined) => number | undefined,
): Polled<T> {
  const [state, setState] = useState<{ data?: T; error?: Error }>({});
  const [round, setRound] = useState(0);

  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    let latest: T | undefined;

    const ask = async (): Promise<void> => {
      clearTimeout(timer);
      if (document.hidden || isAsking) return;
      isAsking = true;
      try {
        latest = await load(stop.signal);
        if (stop.signal.aborted) return;
        setState({ data: latest });
      } catch (thrown) {
        if (stop.signal.aborted) return;
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        setState((before) => ({ ...before, error }));
        if (error instanceof ApiError && error.isFinal) return;
      } finally {
        isAsking = false;
      }
      const pause = pauseMs(latest);
      if (pause !== undefined) timer = setTimeout(() => void ask(), pause);
    };

    const onVisible = (): void => void ask();
    document.addEventListener("visibilitychange", onVisible);
    void ask();
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [key, round]);

  return { data: state.data, error: state.error, refresh: () => setRound((before) => before + 1) };
}
