/** Text from outside as an error message may show it: bounded, on one line, without control characters. */

const MAX_EXCERPT_LENGTH = 80;

/** At most 80 characters of `text`, cut with an ellipsis; control characters, which terminals obey, become `?`. */
export function excerpt(text: string): string {
  const shown = text.length > MAX_EXCERPT_LENGTH ? `${text.slice(0, MAX_EXCERPT_LENGTH - 1)}…` : text;
  return shown.replaceAll(/\p{Cc}/gu, "?");
}
