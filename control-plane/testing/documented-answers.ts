/**
 * Holds answers against /openapi.json: every one that a test gets must be as the document of that app says, in status,
 * content type, headers and body, and with no field that the document does not know.
 */

import addFormats from "ajv-formats";
import Ajv2020, { type ValidateFunction } from "ajv/dist/2020.js";
import { errorBodySchema } from "#shared/protocol/errors.ts";
import type { App } from "../http/environment.ts";
import { createDocument } from "../http/openapi.ts";
import {
  type Answer,
  callsOf,
  type DocumentedCall,
  type OpenApiDocument,
  patternOf,
} from "../http/openapi/document.ts";
import { closedDocument } from "./closed-schemas.ts";

export interface Exchange {
  readonly method: string;
  /** With its query, if any. */
  readonly path: string;
  readonly sentBody: unknown;
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Every answer may have them: how it is carried, and what keeps browsers from doing harm. */
const EVERYWHERE = new Set([
  "cache-control",
  "connection",
  "content-length",
  "content-security-policy",
  "content-type",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "origin-agent-cluster",
  "referrer-policy",
  "x-content-type-options",
  "x-dns-prefetch-control",
  "x-download-options",
  "x-frame-options",
  "x-permitted-cross-domain-policies",
  "x-xss-protection",
]);

const ofApp = new WeakMap<App, DocumentedAnswers>();
/** Apps with the same routes have the same document, which takes a while to make. */
const ofRoutes = new Map<string, DocumentedAnswers>();

/** @throws Error that says how the answer differs from what the app's document says */
export function checkAnswer(app: App, exchange: Exchange): void {
  const answers = answersOf(app);
  const path = exchange.path.replace(/[?#].*$/s, "");
  if (answers.knows(path) || !isFile(app, path)) answers.check(exchange, path);
}

/** The dashboard's files are no part of the API. */
function isFile(app: App, path: string): boolean {
  if (/^\/(?:api|scanner|discovery)\//.test(path)) return false;
  return app.routes.some((route) => route.method === "GET" && route.path === path);
}

function answersOf(app: App): DocumentedAnswers {
  const known = ofApp.get(app);
  if (known !== undefined) return known;
  const routes = app.routes.map(({ method, path }) => `${method} ${path}`).join("\n");
  const answers = ofRoutes.get(routes) ?? new DocumentedAnswers(createDocument(app));
  ofRoutes.set(routes, answers);
  ofApp.set(app, answers);
  return answers;
}

export class DocumentedAnswers {
  private readonly document: OpenApiDocument;
  private readonly calls: readonly { readonly call: DocumentedCall; readonly pattern: RegExp }[];
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    this.document = document;
    // A path without parameters comes before one that has them.
    this.calls = callsOf(document)
      .toSorted((a, b) => a.path.split("{").length - b.path.split("{").length)
      .map((call) => ({ call, pattern: patternOf(call.path) }));
    addFormats(this.ajv);
    this.ajv.addSchema(document, "open", undefined, false);
    this.ajv.addSchema(closedDocument(document), "closed", undefined, false);
  }

  knows(path: string): boolean {
    return this.calls.some(({ pattern }) => pattern.test(path));
  }

  check(exchange: Exchange, path: string): void {
    const there = this.calls.filter(({ pattern }) => pattern.test(path)).map(({ call }) => call);
    const method = exchange.method === "HEAD" ? "GET" : exchange.method;
    // Of two patterns that fit, the first is the one that is served.
    const call = there.find((candidate) => candidate.method === method);
    if (call === undefined) {
      this.checkNoCall(exchange, there);
      return;
    }
    const answer = this.answerOf(call, exchange);
    this.checkHeaders(call, exchange, answer);
    if (exchange.method !== "HEAD") this.checkBody(call, exchange, answer);
    if (exchange.status < 300 && exchange.sentBody !== undefined) this.checkSentBody(call, exchange);
  }

  /** What is not in the document is answered with 404, or 405 when another method is. */
  private checkNoCall(exchange: Exchange, there: readonly DocumentedCall[]): void {
    // Credentials are asked for first, and may stand in the way.
    const expected = there.length > 0 ? [401, 403, 405] : [401, 403, 404, 405, 413, 426, 429];
    if (!expected.includes(exchange.status) || !errorBodySchema.safeParse(exchange.body).success)
      fail(exchange, `the document has no such call, so the answer must be ${expected.join(" or ")}`);
  }

  private answerOf(call: DocumentedCall, exchange: Exchange): { answer: Answer; pointer: string } {
    const { status } = exchange;
    const declared: Answer | { $ref: string } | undefined = call.operation.responses?.[`${status}`];
    if (declared === undefined) {
      const code = errorBodySchema.safeParse(exchange.body).data?.error.code;
      const advice = code === undefined ? "" : `; if it is meant, the route is to have ...refuses("${code}")`;
      return fail(exchange, `the document does not declare this status for ${call.path}${advice}`);
    }
    const own = `/paths/${escape(call.path)}/${call.method.toLowerCase()}/responses/${status}`;
    if (!("$ref" in declared)) return { answer: declared, pointer: own };
    const name = declared.$ref.slice("#/components/responses/".length);
    const shared = this.document.components?.responses?.[name];
    if (shared === undefined || "$ref" in shared)
      return fail(exchange, `the document's ${declared.$ref} is not there`);
    return { answer: shared, pointer: `/components/responses/${escape(name)}` };
  }

  private checkHeaders(call: DocumentedCall, exchange: Exchange, { answer }: { answer: Answer }): void {
    const declared = new Map(
      Object.entries(answer.headers ?? {}).map(([name, header]) => [name.toLowerCase(), header]),
    );
    for (const [name, header] of declared) {
      if ("required" in header && header.required === true && !exchange.headers.has(name))
        fail(exchange, `${call.path} is to answer with the header ${name}`);
    }
    for (const name of exchange.headers.keys()) {
      if (!EVERYWHERE.has(name) && !declared.has(name))
        fail(exchange, `the document does not declare the header ${name} for ${call.path}`);
    }
  }

  private checkBody(
    call: DocumentedCall,
    exchange: Exchange,
    { answer, pointer }: { answer: Answer; pointer: string },
  ): void {
    const type = mediaType(exchange.headers.get("content-type"));
    const declared = Object.keys(answer.content ?? {});
    if (type === undefined && declared.length === 0) {
      if (exchange.body !== "") fail(exchange, `${call.path} is to answer without a body`);
      return;
    }
    if (type === undefined || !declared.includes(type))
      fail(
        exchange,
        `${call.path} answers ${type ?? "nothing"}, and declares ${declared.join(", ") || "no body"}`,
      );
    const validate = this.validator(`closed#${pointer}/content/${escape(type)}/schema`);
    if (!validate(exchange.body))
      fail(exchange, `the body is not as declared for ${call.path}: ${problems(validate)}`);
  }

  /** What was accepted must be what the document asks for, or clients made from it could not send it. */
  private checkSentBody(call: DocumentedCall, exchange: Exchange): void {
    if (call.operation.requestBody === undefined) return;
    const own = `/paths/${escape(call.path)}/${call.method.toLowerCase()}/requestBody/content`;
    const validate = this.validator(`open#${own}/${escape("application/json")}/schema`);
    if (!validate(exchange.sentBody))
      fail(exchange, `a body was accepted that is not as declared: ${problems(validate)}`);
  }

  private validator(reference: string): ValidateFunction {
    let validate = this.validators.get(reference);
    if (validate === undefined) {
      validate = this.ajv.compile({ $ref: encodeURI(reference) });
      this.validators.set(reference, validate);
    }
    return validate;
  }
}

/** A key as part of a JSON pointer. */
function escape(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

function mediaType(header: string | null): string | undefined {
  return header?.split(";")[0]?.trim().toLowerCase();
}

function problems({ errors }: ValidateFunction): string {
  return (errors ?? [])
    .map(({ instancePath, message, params }) => {
      const advice =
        instancePath === "/error/code" ? "; if it is meant, the route is to have ...refuses(CODE)" : "";
      return `${instancePath || "/"} ${message} ${JSON.stringify(params)}${advice}`;
    })
    .join("; ");
}

function fail({ method, path, status, body }: Exchange, reason: string): never {
  throw new Error(`${method} ${path} answered ${status}: ${reason}\n${JSON.stringify(body).slice(0, 1_000)}`);
}
