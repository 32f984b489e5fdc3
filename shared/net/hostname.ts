/** Host names as RFC 952 and RFC 1123 section 2.1 have them. Whether anybody answers to one is for DNS to say. */

const MAX_LENGTH = 253;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/** `0x7f.1` and `10.0.0.1` are numbers to many programs, so a name's last label has a letter and is no hexadecimal. */
const NAME_END = /^(?!0x[0-9a-f]*$).*[a-z]/i;

/** Whether the text can be the name of a host. It may end in a dot. */
export function isHostname(text: string): boolean {
  const name = text.endsWith(".") ? text.slice(0, -1) : text;
  if (name.length > MAX_LENGTH) return false;
  const labels = name.split(".");
  return labels.every((label) => LABEL.test(label)) && NAME_END.test(labels.at(-1) ?? "");
}
