/** Which page is shown: the part of the address after `#`, which the server never sees. */

import { useEffect, useState } from "preact/hooks";

export type Route =
  | { readonly page: "scanners" }
  | { readonly page: "scans" }
  | { readonly page: "start-scan" }
  | { readonly page: "scan"; readonly id: number }
  | { readonly page: "unknown" };

export const SCANNERS_HREF = "#/scanners";
export const SCANS_HREF = "#/scans";
export const START_SCAN_HREF = "#/scans/new";

export function scanHref(id: number): string {
  return `#/scans/${id}`;
}

/** @param hash as in `location.hash`: empty, or with its `#` */
export function parseRoute(hash: string): Route {
  if (hash === "" || hash === "#" || hash === "#/" || hash === SCANNERS_HREF) return { page: "scanners" };
  if (hash === SCANS_HREF) return { page: "scans" };
  if (hash === START_SCAN_HREF) return { page: "start-scan" };
  const id = Number(/^#\/scans\/([1-9]\d{0,15})$/.exec(hash)?.[1]);
  return Number.isSafeInteger(id) ? { page: "scan", id } : { page: "unknown" };
}

export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = (): void => setHash(location.hash);
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return parseRoute(hash);
}
