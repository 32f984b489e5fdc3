import { beforeAll, describe, expect, test } from "bun:test";
import { getRefId } from "@asteasolutions/zod-to-openapi";
import { Validator } from "@seriousme/openapi-schema-validator";
import addFormats from "ajv-formats";
import Ajv2020 from "ajv/dist/2020.js";
import { z } from "zod";
import { ERROR_STATUS } from "#shared/protocol/errors.ts";
import { openStore, type Store } from "../store/store.ts";
import { TestControlPlane } from "../testing/control-plane.ts";
import { createDocument } from "./openapi.ts";
import { callsOf, type DocumentedCall, type OpenApiDocument } from "./openapi/document.ts";
import { EXAMPLES } from "./openapi/examples.ts";

/** What may be called without a credential. */
const OPEN = [
  "GET /health",
  "GET /openapi.json",
  "POST /scanner/register",
  "POST /api/session",
  "GET /api/session",
];

let document: OpenApiDocument;
let calls: readonly DocumentedCall[];

beforeAll(async () => {
  const store: Store = openStore(":memory:");
  document = createDocument(new TestControlPlane(store).app);
  calls = callsOf(document);
  await store.close();
});

const nameOf = ({ method, path }: DocumentedCall) => `${method} ${path}`;

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone({ ...document }));
    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
  });

  test("says of every call what it is for, under a name of its own", () => {
    for (const call of calls) {
      expect([nameOf(call), call.operation.summary]).toEqual([nameOf(call), expect.stringMatching(/^[A-Z]/)]);
      expect([nameOf(call), call.operation.tags]).toEqual([nameOf(call), [expect.any(String)]]);
    }
    const names = calls.map(({ operation }) => operation.operationId);
    expect(names).toContain("getApiScansByIdResults");
    expect(new Set(names).size).toBe(calls.length);
  });

  test("describes the parameters that are in the path, and no other there", () => {
    for (const call of calls) {
      const inPath = [...call.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => String(name));
      const described = parametersOf(call).filter((parameter) => parameter.in === "path");
      expect([nameOf(call), described.map(({ name }) => name)]).toEqual([nameOf(call), inPath]);
    }
  });

  test("never says that a parameter may be null, which no text is", () => {
    const types = calls.flatMap(parametersOf).map(({ schema }) => JSON.stringify(schema));
    for (const type of types) expect(type).not.toContain('"null"');
  });

  test("asks a credential of every call but those that are open to all", () => {
    const open = calls.filter(({ operation }) => (operation.security ?? []).length === 0).map(nameOf);
    expect(open.toSorted()).toEqual(OPEN.toSorted());
    const schemes = Object.keys(document.components?.securitySchemes ?? {});
    const asked = calls.flatMap(({ operation }) =>
      (operation.security ?? []).flatMap((way) => Object.keys(way)),
    );
    expect(schemes.toSorted()).toEqual([...new Set(asked)].toSorted());
  });

  test("has operators' credentials for /api, and scanners' for /scanner and /api/scanner", () => {
    for (const call of calls) {
      const asked = (call.operation.security ?? []).flatMap((way) => Object.keys(way));
      const forScanners = /^\/(?:api\/)?scanner\//.test(call.path);
      for (const scheme of asked) {
        expect([nameOf(call), scheme]).toEqual([
          nameOf(call),
          expect.stringMatching(forScanners ? /^(?:scanner|provisioning)/ : /^operator/),
        ]);
      }
    }
  });

  test("names the status of every error, and none without its codes", () => {
    for (const call of calls) {
      const statuses = Object.keys(call.operation.responses ?? {});
      expect([nameOf(call), statuses]).toEqual([nameOf(call), expect.not.arrayContaining(["default"])]);
      expect([nameOf(call), statuses.some((status) => status.startsWith("2"))]).toEqual([nameOf(call), true]);
    }
    for (const [name, answer] of Object.entries(document.components?.responses ?? {})) {
      const codes = name.replace(/^scanner\./, "").split(".");
      const text = JSON.stringify(answer);
      for (const code of codes) {
        expect(Object.keys(ERROR_STATUS)).toContain(code);
        expect(text).toContain(`"description":`);
        expect(text).toContain(code);
      }
    }
  });

  test("says when to ask again wherever a call may be put off", () => {
    for (const call of calls) {
      for (const status of ["429", "503"]) {
        const answer = call.operation.responses?.[status];
        if (answer === undefined || call.path === "/health") continue;
        const name = String(answer.$ref).slice("#/components/responses/".length);
        expect(JSON.stringify(document.components?.responses?.[name])).toContain("Retry-After");
      }
    }
  });

  test("refuses unknown fields in every body of an operator", () => {
    for (const call of calls.filter(({ path }) => !/^\/(?:api\/)?scanner\//.test(path))) {
      const body = call.operation.requestBody;
      if (body === undefined || "$ref" in body) continue;
      const json = body.content["application/json"];
      if (json === undefined) continue;
      expect([nameOf(call), isStrict(json.schema)]).toEqual([nameOf(call), true]);
    }
  });

  test("gives each example under a schema that it fits", () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats(ajv);
    ajv.addSchema({ ...document }, "document", undefined, false);
    for (const [name, examples] of Object.entries(EXAMPLES)) {
      const validate = ajv.compile({ $ref: `document#/components/schemas/${name}` });
      for (const example of examples)
        expect([name, validate(example), validate.errors]).toEqual([name, true, null]);
    }
  });

  test("has every module of the contract's schemas among those that it takes names from", async () => {
    const folder = new URL("../../shared/protocol/", import.meta.url).pathname;
    for (const file of new Bun.Glob("*.ts").scanSync(folder)) {
      if (file.endsWith(".test.ts")) continue;
      const module: Record<string, unknown> = await import(`${folder}${file}`);
      for (const [exported, schema] of Object.entries(module)) {
        if (!(schema instanceof z.ZodObject)) continue;
        const name = getRefId(schema) ?? "no name: add its module to http/openapi/schema-names.ts";
        expect([file, exported, name]).toEqual([
          file,
          exported,
          expect.stringMatching(/^[A-Z][A-Za-z0-9]*$/),
        ]);
      }
    }
  });

  test("calls the objects of the contract by their names, and says of those that may be null that they may", () => {
    const { ScanView, JobView } = document.components?.schemas ?? {};
    expect(ScanView).toBeDefined();
    expect(JobView).toMatchObject({
      properties: { summary: { anyOf: [{ $ref: "#/components/schemas/ScanSummary" }, { type: "null" }] } },
    });
  });

  test("tells the answers that are no JSON from those that are", () => {
    const types = (name: string) => {
      const call = calls.find((candidate) => nameOf(candidate) === name);
      return Object.keys(call?.operation.responses?.["200"]?.content ?? {});
    };
    expect(types("GET /scanner/install")).toEqual(["text/plain"]);
    expect(types("GET /scanner/binary/{platform}/{arch}")).toEqual(["application/octet-stream"]);
    expect(types("GET /api/scans/{id}/logs")).toContain("application/json");
  });
});

function parametersOf({ operation }: DocumentedCall) {
  return (operation.parameters ?? []).flatMap((parameter) => ("$ref" in parameter ? [] : [parameter]));
}

function resolve(schema: unknown): unknown {
  if (typeof schema !== "object" || schema === null || !("$ref" in schema)) return schema;
  const name = String(schema.$ref).slice("#/components/schemas/".length);
  return document.components?.schemas?.[name];
}

/** An object without other fields, or a choice of such. */
function isStrict(schema: unknown): boolean {
  const resolved = resolve(schema);
  if (typeof resolved !== "object" || resolved === null) return false;
  if ("additionalProperties" in resolved) return resolved.additionalProperties === false;
  const choices = "anyOf" in resolved ? resolved.anyOf : "oneOf" in resolved ? resolved.oneOf : undefined;
  return Array.isArray(choices) && choices.every(isStrict);
}
