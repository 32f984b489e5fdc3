/** A labelled field of a form with its hint and its error, tied together for screen readers. */

import type { ComponentChildren } from "preact";

export interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly error: string | undefined;
  /** Makes the control. `attributes` are to be spread over it. */
  readonly children: (attributes: ControlAttributes) => ComponentChildren;
}

export interface ControlAttributes {
  readonly id: string;
  readonly name: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid": boolean;
}

export function Field({ id, label, hint, error, children }: FieldProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({
        id,
        name: id,
        "aria-describedby": `${id}-hint ${id}-error`,
        "aria-invalid": error !== undefined,
      })}
      <FieldNotes id={id} hint={hint} error={error} />
    </div>
  );
}

export interface ChoiceProps {
  readonly id: string;
  readonly legend: string;
  readonly hint?: string;
  readonly error: string | undefined;
  readonly children: ComponentChildren;
}

/** A group of checkboxes. */
export function Choice({ id, legend, hint, error, children }: ChoiceProps) {
  return (
    <fieldset class="field" aria-describedby={`${id}-hint ${id}-error`}>
      <legend>{legend}</legend>
      {children}
      <FieldNotes id={id} hint={hint} error={error} />
    </fieldset>
  );
}

type Notes = { readonly id: string; readonly hint: string | undefined; readonly error: string | undefined };

function FieldNotes({ id, hint, error }: Notes) {
  return (
    <>
      <p id={`${id}-hint`} class="hint">
        {hint}
      </p>
      <p id={`${id}-error`} class="error" role="alert">
        {error}
      </p>
    </>
  );
}
