/** A modal dialog. The browser keeps the focus inside, closes it at Escape too, and gives the focus back after. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface DialogProps {
  readonly title: string;
  /** Takes the dialog away; it has closed by then. */
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={onClose}>
      <h2 id="dialog-title">{title}</h2>
      {children}
    </dialog>
  );
}

export interface CloseDialogProps {
  readonly isPrimary?: boolean;
  readonly children: ComponentChildren;
}

/** A button that closes the dialog it is in. */
export function CloseDialog({ isPrimary = false, children }: CloseDialogProps) {
  return (
    <button
      type="button"
      class={isPrimary ? "primary" : ""}
      onClick={(event) => event.currentTarget.closest("dialog")?.close()}
    >
      {children}
    </button>
  );
}
