/** Sends a form once at a time, and keeps what the server said against it. */

import { useState } from "preact/hooks";
import { type FormErrors, formErrors } from "./api-error.ts";

export interface Submission {
  readonly errors: FormErrors;
  readonly isSending: boolean;
  readonly onSubmit: (event: Event) => void;
}

/** @param send gets what the form holds; `fields` are its fields that errors can be about */
export function useSubmit(fields: readonly string[], send: (form: FormData) => Promise<void>): Submission {
  const [errors, setErrors] = useState<FormErrors>({});
  const [isSending, setSending] = useState(false);

  const submit = async (form: FormData): Promise<void> => {
    setSending(true);
    setErrors({});
    try {
      await send(form);
    } catch (error) {
      setErrors(formErrors(error, fields));
    } finally {
      setSending(false);
    }
  };
  const onSubmit = (event: Event): void => {
    event.preventDefault();
    if (!isSending && event.currentTarget instanceof HTMLFormElement) {
      void submit(new FormData(event.currentTarget));
    }
  };
  return { errors, isSending, onSubmit };
}

/** Text of a field that is no file. */
export function textOf(form: FormData, name: string): string {
  const value = form.get(name);
  return typeof value === "string" ? value.trim() : "";
}
