/** JSON in pieces, for a document in which one value may be long: a million targets, say. Never the whole of it in memory. */

const PIECE_LENGTH = 64 * 1_024;

/**
 * @param documentWith the document with what it is given in the place of the long value
 * @param value the JSON of the long value, in parts
 */
export function* jsonPieces(
  documentWith: (placeholder: string) => unknown,
  value: Iterable<string>,
  indent?: number,
): Generator<string> {
  const placeholder = crypto.randomUUID();
  const [before = "", after = ""] = JSON.stringify(documentWith(placeholder), undefined, indent).split(
    `"${placeholder}"`,
  );
  yield before;
  yield* gathered(value);
  yield `${after}\n`;
}

/** The texts one after the other with `separator` between them. */
export function* joined(texts: Iterable<string>, separator: string): Generator<string> {
  let isFirst = true;
  for (const text of texts) {
    yield isFirst ? text : separator + text;
    isFirst = false;
  }
}

/** The same text in fewer parts, because each is a call to the system. */
function* gathered(parts: Iterable<string>): Generator<string> {
  let piece = "";
  for (const part of parts) {
    piece += part;
    if (piece.length < PIECE_LENGTH) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}
