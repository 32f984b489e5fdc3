/** How large a body may be: batches of results, and of subnets, are larger than anything else. */

import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { MAX_BODY_BYTES, MAX_RESULT_BODY_BYTES } from "#shared/protocol/limits.ts";
import { refusal } from "../services/refusal.ts";
import type { AppEnv } from "./environment.ts";

const BATCH_PATH = /^\/(?:scanner\/(?:jobs\/\d+\/)?results|api\/config\/subnets\/bulk)$/;

export function maxBodyBytes(path: string): number {
  return BATCH_PATH.test(path) ? MAX_RESULT_BODY_BYTES : MAX_BODY_BYTES;
}

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
  maxBodyBytes(c.req.path) === MAX_BODY_BYTES ? limitOther(c, next) : limitBatch(c, next);
