/** Calls made from the OpenAPI document alone: each operation with a credential, an address and a body that it asks for. */

import { scannerCreateResponseSchema } from "#shared/protocol/operator.ts";
import type { DocumentedCall } from "../http/openapi/document.ts";
import { createDocument } from "../http/openapi.ts";
import type { Answer, Call, TestControlPlane, TestScanner } from "./control-plane.ts";
import { Samples } from "./sample-values.ts";

/** How a call differs from the good one. */
export interface Variation extends Call {
  /** In place of the sample's. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** Without a credential; else with the one that the call asks for. */
  readonly anonymous?: boolean;
}

export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: unknown;
}

export class DocumentedCaller {
  readonly samples: Samples;
  private readonly plane: TestControlPlane;
  private readonly scanner: TestScanner;
  private readonly provisioningToken: string;
  private addresses = 0;

  private constructor(plane: TestControlPlane, samples: Samples, scanner: TestScanner, token: string) {
    this.plane = plane;
    this.samples = samples;
    this.scanner = scanner;
    this.provisioningToken = token;
  }

  /** On a control plane that has a scanner with a job at hand, and one that is to be installed. */
  static async start(plane: TestControlPlane): Promise<DocumentedCaller> {
    const scanner = await plane.addScanner("s1");
    await plane.startScan([scanner]);
    const { leaseId } = await plane.claim(scanner);
    const path = "/api/config/scanners";
    const body = { name: "s2" };
    const { provisioning } = await plane.operate("POST", path, scannerCreateResponseSchema, body);
    const samples = new Samples(createDocument(plane.app), { leaseId });
    return new DocumentedCaller(plane, samples, scanner, provisioning.token);
  }

  /** Each call comes from an address of its own, as attempts from one are limited. */
  async send(call: DocumentedCall, variation: Variation = {}): Promise<Answer> {
    const { parameters = {}, query = {}, anonymous = false, ...rest } = variation;
    const credential = anonymous ? {} : await this.credentialFor(call);
    const headers = { ...credential.headers, ...rest.headers };
    const path = this.pathOf(call, parameters, query);
    return this.plane.call(call.method, path, { from: this.nextAddress(), ...credential, ...rest, headers });
  }

  /** The schema of the JSON that the call takes, if it takes any. */
  bodySchema({ operation }: DocumentedCall): unknown {
    const { requestBody } = operation;
    if (requestBody === undefined || "$ref" in requestBody) return undefined;
    return requestBody.content["application/json"]?.schema;
  }

  sampleBody(call: DocumentedCall): unknown {
    const schema = this.bodySchema(call);
    return schema === undefined ? undefined : this.samples.sample(schema);
  }

  /** A body that fits, with its type; nothing where the call takes none. */
  sampleRequest(call: DocumentedCall): Pick<Call, "body" | "text" | "headers"> {
    const [type] = bodyTypes(call);
    if (type === undefined) return {};
    if (type === "application/json") return { body: this.sampleBody(call) };
    return { text: "x", headers: { "Content-Type": type } };
  }

  private async credentialFor(call: DocumentedCall): Promise<Call> {
    const schemes = schemesOf(call);
    if (schemes.includes("operatorToken")) return { token: await this.plane.token("admin") };
    if (schemes.includes("scannerKey")) return { key: this.scanner.key };
    return schemes.includes("provisioningToken") ? { token: this.provisioningToken } : {};
  }

  private pathOf(
    call: DocumentedCall,
    given: Readonly<Record<string, string>>,
    query: Readonly<Record<string, string>>,
  ) {
    const wanted = parametersOf(call);
    const value = (name: string) => {
      const schema = wanted.find((parameter) => parameter.in === "path" && parameter.name === name)?.schema;
      return encodeURIComponent((given[name] ?? String(this.samples.sample(schema))).toWellFormed());
    };
    const path = call.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => value(name));
    const search = new URLSearchParams();
    for (const parameter of wanted.filter((one) => one.in === "query" && one.required))
      search.set(parameter.name, String(this.samples.sample(parameter.schema)));
    for (const [name, text] of Object.entries(query)) search.set(name, text);
    return search.size === 0 ? path : `${path}?${search.toString()}`;
  }

  private nextAddress(): string {
    const number = ++this.addresses;
    return `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
  }
}

/** The names of the ways to authenticate that the call takes. */
export function schemesOf({ operation }: DocumentedCall): string[] {
  return (operation.security ?? []).flatMap((way) => Object.keys(way));
}

/** The content types that the call takes. */
export function bodyTypes({ operation: { requestBody } }: DocumentedCall): string[] {
  return requestBody === undefined || "$ref" in requestBody ? [] : Object.keys(requestBody.content);
}

export function parametersOf({ operation }: DocumentedCall): Parameter[] {
  return (operation.parameters ?? []).flatMap((parameter) =>
    "$ref" in parameter
      ? []
      : [
          {
            name: parameter.name,
            in: parameter.in,
            required: parameter.required ?? false,
            schema: parameter.schema,
          },
        ],
  );
}
