/** The control plane's address: what is accepted, and that a key never travels in the clear by accident. */

import { UsageError } from "#shared/errors.ts";
import { parseIpv4 } from "#shared/net/ipv4.ts";

/**
 * @returns the address without trailing slashes
 * @throws UsageError INVALID_SERVER
 */
export function parseServerUrl(text: string, allowPlainHttp: boolean): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new UsageError(
      "INVALID_SERVER",
      `'${text}' is no address of a control plane; expected https://host[:port]`,
    );
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new UsageError(
      "INVALID_SERVER",
      "the control plane's address must hold no credentials, query or fragment",
    );
  }
  if (url.protocol === "http:" && !allowPlainHttp && !isLoopback(url.hostname)) {
    throw new UsageError(
      "INVALID_SERVER",
      `${text} would send the key in the clear: use https, or --allow-plain-http where the network is trusted`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function isLoopback(hostname: string): boolean {
  const address = parseIpv4(hostname);
  return (
    hostname === "localhost" || hostname === "[::1]" || (address !== undefined && address >>> 24 === 127)
  );
}
