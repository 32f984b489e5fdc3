/**
 * The dashboard's files: its page at `/`, scripts and styles beside it. All are public; what they show comes from the
 * API. The policy lets the page load its own files and call its own server, and nothing else.
 */

import { secureHeaders } from "hono/secure-headers";
import type { App } from "./environment.ts";

/** Names of the other files carry a hash of what is in them. */
const NEVER_CHANGES = "public, max-age=31536000, immutable";

export interface DashboardFile {
  /** `/` or `/chunk-3wkr15ha.css` */
  readonly path: string;
  readonly contentType: string;
  readonly content: Blob;
}

const headers = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ["'self'"],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
  xFrameOptions: "DENY",
  // As for the rest of the app: whether this host is https for ever is said at the proxy.
  strictTransportSecurity: false,
});

export function addDashboard(app: App, files: readonly DashboardFile[]): void {
  for (const { path, contentType, content } of files) {
    app.get(path, headers, (c) =>
      c.body(content.stream(), 200, {
        "Content-Type": contentType,
        "Content-Length": String(content.size),
        "Cache-Control": path === "/" ? "no-cache" : NEVER_CHANGES,
      }),
    );
  }
}
