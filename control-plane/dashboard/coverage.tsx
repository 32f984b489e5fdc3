/** How much of a scan is done, as a bar and in figures. */

import { formatShare } from "./format.ts";

export function Coverage({ share, of }: { readonly share: number; readonly of: string }) {
  return (
    <div class="coverage">
      <progress max={1} value={share} aria-label={`Coverage of ${of}`} />
      <span>{formatShare(share)}</span>
    </div>
  );
}
