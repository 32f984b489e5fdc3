/** The ways to authenticate, as the document names them. `route-parts.ts` has what routes ask for. */

import { API_KEY_HEADER } from "#shared/protocol/scanner.ts";
import { SESSION_COOKIE } from "../session-cookie.ts";

export const SECURITY_SCHEMES = {
  operatorToken: { type: "http", scheme: "bearer", description: "An operator's token, `ptl_op_…`." },
  operatorSession: {
    type: "apiKey",
    in: "cookie",
    name: SESSION_COOKIE,
    description:
      "A browser's session, from `POST /api/session`. With it, only pages of the same origin may change anything.",
  },
  scannerKey: {
    type: "apiKey",
    in: "header",
    name: API_KEY_HEADER,
    description: "A scanner's key, `ptl_key_…`, from `POST /scanner/register`.",
  },
  scannerToken: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description: "A token that stands for a scanner's key for 15 minutes, from `POST /scanner/auth`.",
  },
  provisioningToken: {
    type: "http",
    scheme: "bearer",
    description:
      "A one-time token, `ptl_prov_…`, of a scanner that is to be installed; or an enrolment token, `ptl_enrol_…`.",
  },
  provisioningHeader: {
    type: "apiKey",
    in: "header",
    name: "x-provisioning-token",
    description: "The same one-time token, for clients that cannot set `Authorization`.",
  },
} as const;

export type SecurityScheme = keyof typeof SECURITY_SCHEMES;
