/** XML elements as text. Attributes that are undefined are left out; values may hold anything. */

import { visibleText } from "./visible-text.ts";

export type Attributes = Readonly<Record<string, string | number | undefined>>;

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Characters that XML 1.0 cannot hold at all are shown as `\x1B`. */
export function escapeXml(text: string): string {
  return visibleText(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

export function openTag(name: string, attributes: Attributes): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([attribute, value]) => ` ${attribute}="${escapeXml(String(value))}"`);
  return `<${name}${written.join("")}>`;
}

/** An element with what is in it, which is XML already. Without content it is an empty element. */
export function tag(name: string, attributes: Attributes, content = ""): string {
  const open = openTag(name, attributes);
  return content === "" ? `${open.slice(0, -1)}/>` : `${open}${content}</${name}>`;
}
