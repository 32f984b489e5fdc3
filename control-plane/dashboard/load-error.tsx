/** Says that what is shown, if anything, is not what is there now. */

import { ApiError } from "./api-error.ts";

export interface LoadErrorProps {
  readonly error: Error | undefined;
  /** True when what an earlier call told is still shown. */
  readonly isStale: boolean;
}

export function LoadError({ error, isStale }: LoadErrorProps) {
  const isFinal = error instanceof ApiError && error.isFinal;
  return (
    <div role="alert">
      {error !== undefined && (
        <p class="notice bad">
          {error.message}. {isStale && "What is below may be out of date. "}
          {!isFinal && "Trying again."}
        </p>
      )}
    </div>
  );
}
