/** Asks for an operator's token. The browser forgets it at once: from then on the session's cookie counts. */

import { sessionViewSchema } from "#shared/protocol/session.ts";
import { useApi } from "./api.ts";
import { Field } from "./field.tsx";
import { Page } from "./page.tsx";
import type { SignedIn } from "./session.ts";
import { textOf, useSubmit } from "./use-submit.ts";

export interface SignInProps {
  /** True when someone was signed in until now. */
  readonly hasEnded: boolean;
  readonly onSignedIn: (operator: SignedIn) => void;
}

export function SignIn({ hasEnded, onSignedIn }: SignInProps) {
  const api = useApi();
  const { errors, isSending, onSubmit } = useSubmit(["token"], async (form) => {
    const { operator } = await api.post("/api/session", sessionViewSchema, { token: textOf(form, "token") });
    if (operator !== null) onSignedIn(operator);
  });
  return (
    <Page title="Sign in to Portolan">
      <form class="panel narrow" onSubmit={onSubmit}>
        {hasEnded && <p class="notice">Your session has ended. Sign in again to go on.</p>}
        <Field
          id="token"
          label="Operator token"
          hint="Begins with ptl_op_. The first one is in the file admin-token of the server's data directory; portolan-control token create makes more."
          error={errors["token"] ?? errors["form"]}
        >
          {(attributes) => (
            <input
              {...attributes}
              type="password"
              required
              autocomplete="current-password"
              spellcheck={false}
            />
          )}
        </Field>
        <button type="submit" class="primary" disabled={isSending}>
          Sign in
        </button>
      </form>
    </Page>
  );
}
