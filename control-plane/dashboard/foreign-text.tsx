/** Text that someone else wrote: operators, scanners, or whoever answered a probe. Shown as text, whatever it holds. */

import { makeVisible } from "./format.ts";

const SHOWN_LENGTH = 300;

export function ForeignText({ text }: { readonly text: string }) {
  const visible = makeVisible(text);
  if (visible.length <= SHOWN_LENGTH) return <bdi class="foreign">{visible}</bdi>;
  return (
    <details class="foreign">
      <summary>
        <bdi>{visible.slice(0, SHOWN_LENGTH)}…</bdi>
      </summary>
      <bdi>{visible}</bdi>
    </details>
  );
}
