/**
 * Long texts as downloads. The next part is made when the client has taken the one before, so that a slow client costs
 * no memory.
 */

export interface DownloadedText {
  readonly contentType: string;
  readonly fileName: string;
  readonly parts: AsyncGenerator<string>;
}

/**
 * What fails before the first part is thrown, and answered as an error; after it the connection is broken, so that
 * nobody takes half a text for a whole one.
 */
export async function textDownload({ contentType, fileName, parts }: DownloadedText): Promise<Response> {
  const encoder = new TextEncoder();
  const first = await parts.next();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      if (first.done === true) controller.close();
      else controller.enqueue(encoder.encode(first.value));
    },
    pull: async (controller) => {
      const next = await parts.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    cancel: async () => void (await parts.return(undefined)),
  });
  return new Response(body, {
    headers: { "Content-Type": contentType, "Content-Disposition": `attachment; filename="${fileName}"` },
  });
}
