/** A point in time, in one line, in the time zone of whoever looks. */

import { formatTime } from "./format.ts";

export function Time({ at }: { readonly at: string | null }) {
  if (at === null) return <>–</>;
  return (
    <time class="nowrap" dateTime={at}>
      {formatTime(at)}
    </time>
  );
}
