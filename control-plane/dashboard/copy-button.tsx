/** Copies a text. Where the browser has no clipboard for us, as over plain HTTP, it selects the text instead. */

import type { RefObject } from "preact";
import { useState } from "preact/hooks";

export interface CopyButtonProps {
  /** The element that shows the text. */
  readonly source: RefObject<HTMLElement | null>;
}

export function CopyButton({ source }: CopyButtonProps) {
  const [outcome, setOutcome] = useState("");
  const copy = async (): Promise<void> => {
    const element = source.current;
    if (element === null) return;
    getSelection()?.selectAllChildren(element);
    try {
      await navigator.clipboard.writeText(element.textContent);
      setOutcome("Copied.");
    } catch {
      setOutcome("Selected: press Ctrl+C or ⌘C to copy it.");
    }
  };
  return (
    <>
      <button type="button" onClick={() => void copy()}>
        Copy
      </button>
      <span role="status" class="muted">
        {outcome}
      </span>
    </>
  );
}
