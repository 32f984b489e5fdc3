/** Reads an answer's body without trusting the sender about its size. */

/**
 * The body as text, cut off after `maxBytes`: what is cut is no JSON any more and is refused as such.
 * The connection is closed where more would come.
 */
export async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk.subarray(0, maxBytes - length));
    length += chunk.length;
    // Leaving the loop cancels the rest.
    if (length >= maxBytes) break;
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}
