/** Where a setting comes from: flags above environment above file above defaults. */

import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentConfig, type ConfigFlags, DEFAULT_STATE_DIR, loadConfig } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "portolan-config-"));

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileWith(text: string): string {
  const path = join(folder, `${crypto.randomUUID()}.yaml`);
  writeFileSync(path, text);
  return path;
}

/** An empty file instead of the host's own, which may say anything. */
const EMPTY = fileWith("");

type Environment = Parameters<typeof loadConfig>[1];

function load(flags: ConfigFlags, environment: Environment = {}): AgentConfig {
  return loadConfig({ config: EMPTY, ...flags }, environment);
}

const invalid = (message: string): unknown =>
  expect.objectContaining({
    name: "UsageError",
    code: "INVALID_CONFIG",
    message: expect.stringContaining(message),
  });

test("the defaults need nothing", () => {
  expect(load({})).toEqual({
    server: undefined,
    stateDir: DEFAULT_STATE_DIR,
    caFile: undefined,
    allowPlainHttp: false,
    logLevel: "INFO",
    maxRatePps: 0,
    maxConcurrentScans: 2,
    apiKey: undefined,
  });
});

test("the maximum rate: flag, then environment, then file; no number is an error", () => {
  const file = fileWith("max_rate: 100");
  expect(load({ config: file }).maxRatePps).toBe(100);
  expect(load({ config: file }, { PORTOLAN_MAX_RATE: "200" }).maxRatePps).toBe(200);
  expect(load({ config: file, maxRate: "0.5" }, { PORTOLAN_MAX_RATE: "200" }).maxRatePps).toBe(0.5);
  expect(() => load({ maxRate: "fast" })).toThrow(invalid("not 'fast'"));
  expect(() => load({ config: fileWith("max_rate: -1") })).toThrow(invalid("max_rate"));
});

test("concurrent scans: flag, then environment, then file; from 1 to 16", () => {
  const file = fileWith("max_concurrent_scans: 3");
  const environment = { PORTOLAN_MAX_CONCURRENT_SCANS: "4" };
  expect(load({ config: file }).maxConcurrentScans).toBe(3);
  expect(load({ config: file }, environment).maxConcurrentScans).toBe(4);
  expect(load({ config: file, maxConcurrentScans: "16" }, environment).maxConcurrentScans).toBe(16);
  for (const maxConcurrentScans of ["0", "17", "2.5", "-1", "many"]) {
    expect(() => load({ maxConcurrentScans })).toThrow(invalid(`not '${maxConcurrentScans}'`));
  }
  for (const count of ["0", "17", "2.5", "'2'"]) {
    const config = fileWith(`max_concurrent_scans: ${count}`);
    expect(() => load({ config })).toThrow(invalid("max_concurrent_scans"));
  }
});

test("the result cannot be changed afterwards", () => {
  expect(Object.isFrozen(load({}))).toBe(true);
});

describe("each setting: flag, then environment, then file", () => {
  const file = fileWith(
    [
      "server: https://file.example",
      "state_dir: /from/file",
      "ca_file: /file.pem",
      "allow_plain_http: true",
      "log_level: error",
    ].join("\n"),
  );
  const environment = {
    PORTOLAN_SERVER: "https://environment.example",
    PORTOLAN_STATE_DIR: "/from/environment",
    PORTOLAN_CA_FILE: "/environment.pem",
    PORTOLAN_ALLOW_PLAIN_HTTP: "0",
    LOG_LEVEL: "warning",
  };
  const flags = {
    server: "https://flag.example",
    stateDir: "/from/flag",
    caFile: "/flag.pem",
    allowPlainHttp: true,
    logLevel: "debug",
  };

  test("file", () => {
    expect(load({ config: file })).toMatchObject({
      server: "https://file.example",
      stateDir: "/from/file",
      caFile: "/file.pem",
      allowPlainHttp: true,
      logLevel: "ERROR",
    });
  });

  test("environment", () => {
    expect(load({ config: file }, environment)).toMatchObject({
      server: "https://environment.example",
      stateDir: "/from/environment",
      caFile: "/environment.pem",
      allowPlainHttp: false,
      logLevel: "WARNING",
    });
  });

  test("flags", () => {
    expect(load({ config: file, ...flags }, environment)).toMatchObject({
      server: "https://flag.example",
      stateDir: "/from/flag",
      caFile: "/flag.pem",
      allowPlainHttp: true,
      logLevel: "DEBUG",
    });
  });

  test("a variable that is empty counts as unset", () => {
    const empty = Object.fromEntries(Object.keys(environment).map((name) => [name, ""]));
    expect(load({ config: file }, empty)).toEqual(load({ config: file }));
    expect(loadConfig({}, { PORTOLAN_CONFIG: "" })).toEqual(loadConfig({}, {}));
  });
});

describe("the names of Open Port Monitor", () => {
  test("address, key and log level; slashes at the end are taken off", () => {
    const environment = {
      BACKEND_URL: "https://monitor.example//",
      API_KEY: " secret\n",
      LOG_LEVEL: "debug",
    };
    expect(load({}, environment)).toMatchObject({
      server: "https://monitor.example",
      apiKey: "secret",
      logLevel: "DEBUG",
    });
  });

  test("Portolan's own name of the address goes first", () => {
    const environment = { BACKEND_URL: "https://monitor.example", PORTOLAN_SERVER: "https://own.example" };
    expect(load({}, environment).server).toBe("https://own.example");
  });

  test("a key of blanks is no key", () => {
    expect(load({}, { API_KEY: "  " }).apiKey).toBeUndefined();
  });

  test("a log level that is none means INFO", () => {
    expect(load({}, { LOG_LEVEL: "verbose" }).logLevel).toBe("INFO");
  });
});

describe("the file", () => {
  test("may be named by flag or environment, the flag first", () => {
    const one = fileWith("state_dir: /one");
    const two = fileWith("state_dir: /two");
    expect(loadConfig({}, { PORTOLAN_CONFIG: one }).stateDir).toBe("/one");
    expect(loadConfig({ config: two }, { PORTOLAN_CONFIG: one }).stateDir).toBe("/two");
  });

  test("that was named must be there", () => {
    expect(() => load({ config: join(folder, "missing.yaml") })).toThrow(invalid("missing.yaml"));
  });

  test.each([
    ["a key that is not known", "servr: https://control.example", "servr"],
    ["a value of another type", "allow_plain_http: sometimes", "allow_plain_http"],
    ["an empty path", "state_dir: ''", "state_dir"],
    ["a list", "- server", "expected object"],
    ["no YAML", "server: [", "cannot read"],
  ])("with %s is refused, naming it", (_name, text, named) => {
    const config = fileWith(text);
    expect(() => load({ config })).toThrow(invalid(named));
    expect(() => load({ config })).toThrow(invalid(config));
  });

  test("of comments only is empty", () => {
    expect(load({ config: fileWith("# nothing yet\n") })).toEqual(load({}));
  });
});

test("a plain http address is refused wherever it comes from, unless allowed where it may be", () => {
  const server = "http://control.example";
  const refused = expect.objectContaining({ code: "INVALID_SERVER" });
  const config = fileWith(`server: ${server}`);
  expect(() => load({ server })).toThrow(refused);
  expect(() => load({}, { BACKEND_URL: server })).toThrow(refused);
  expect(() => load({ config })).toThrow(refused);
  expect(load({ config }, { PORTOLAN_ALLOW_PLAIN_HTTP: "1" }).server).toBe(server);
  expect(load({ config, allowPlainHttp: true }).server).toBe(server);
});
