/** How large a body may be: batches of results are larger than anything else. */

import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { MAX_BODY_BYTES, MAX_RESULT_BODY_BYTES } from "#shared/protocol/limits.ts";
import { refusal } from "../services/refusal.ts";
import type { AppEnv } from "./environment.ts";

const RESULT_PATH = /^\/scanner\/(?:jobs\/\d+\/)?results$/;

function limitTo(maxSize: number): MiddlewareHandler<AppEnv> {
  return bodyLimit({
    maxSize,
    onError: () => {
      throw refusal("BODY_TOO_LARGE", `the body is larger than ${maxSize} bytes`);
    },
  });
}

const limitBatch = limitTo(MAX_RESULT_BODY_BYTES);
const limitOther = limitTo(MAX_BODY_BYTES);

/** @throws PortolanError BODY_TOO_LARGE */
export const limitBody: MiddlewareHandler<AppEnv> = (c, next) =>
  RESULT_PATH.test(c.req.path) ? limitBatch(c, next) : limitOther(c, next);
