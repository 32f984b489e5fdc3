/** Headers that every answer of the scanner API has, for the document. */

import { WIRE_VERSION_HEADER } from "#shared/protocol/version.ts";

export const WIRE_VERSION_ANSWER_HEADER = {
  [WIRE_VERSION_HEADER]: {
    required: true,
    description: "The wire version that the control plane speaks",
    schema: { type: "integer", minimum: 1 },
  },
} as const;

/** The same header in a request. */
export const WIRE_VERSION_PARAMETER = {
  name: WIRE_VERSION_HEADER,
  in: "header",
  description: "The wire version that the agent speaks; whoever is no agent leaves it out",
  schema: { type: "integer", minimum: 1 },
} as const;
