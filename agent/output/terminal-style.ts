/** Colours and weights for terminals, or none of it. Text is made visible before it is styled. */

export type Style = "bold" | "dim" | "red" | "green" | "yellow";

const CODES: Readonly<Record<Style, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export type Paint = (style: Style, text: string) => string;

export function newPaint(coloured: boolean): Paint {
  return coloured ? (style, text) => `\u001B[${CODES[style]}m${text}\u001B[0m` : (_, text) => text;
}

export function styleOfState(state: string): Style {
  return state === "open" ? "green" : state === "closed" ? "red" : "yellow";
}
