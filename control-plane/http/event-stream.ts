/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). The next event is asked for when
 * the client has taken the one before, so that a slow client costs no memory.
 */

/** How long a client waits before it comes back after the connection broke. */
const RETRY_MS = 2_000;

export interface ServerSentEvent {
  /** Sent back by the client in Last-Event-ID when it comes again. */
  readonly id?: number;
  readonly event: string;
  /** Becomes JSON, which has no line breaks. */
  readonly data: unknown;
}

/** Keeps proxies and clients from taking a silent connection for a dead one. */
export const PULSE = ": pulse\n\n";

export function formatEvent({ id, event, data }: ServerSentEvent): string {
  const name = id === undefined ? "" : `id: ${id}\n`;
  return `${name}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * @param chunks of the stream, each of whole events; when it throws, the connection is closed and the client comes back
 * @param onGone called when the client has gone before the end
 */
export function eventStream(chunks: AsyncGenerator<string>, onGone: () => void): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    // At once, so that the client sees that it is connected.
    start: (controller) => controller.enqueue(encoder.encode(`retry: ${RETRY_MS}\n\n`)),
    pull: async (controller) => {
      const next = await chunks.next().catch(() => undefined);
      if (next === undefined || next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: onGone,
  });
  // The last header is nginx's: it would keep the events back until it had a buffer full.
  return new Response(body, { headers: { "Content-Type": "text/event-stream", "X-Accel-Buffering": "no" } });
}
