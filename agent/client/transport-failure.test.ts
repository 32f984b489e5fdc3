/** Failures as fetch really throws them: was the call sent, and what is a person told? */

import { expect, test } from "bun:test";
import { createServer } from "node:net";
import { explainTransportFailure, type TransportFailure } from "./transport-failure.ts";

async function failureOf(url: string, init?: RequestInit): Promise<TransportFailure> {
  return fetch(url, init).then(
    () => {
      throw new Error(`${url} answered`);
    },
    (cause: unknown) => explainTransportFailure(cause),
  );
}

/** A TCP server that does what it likes with a connection. Closed after `use`. */
async function withServer<T>(
  onData: (end: () => void) => void,
  use: (port: number) => Promise<T>,
): Promise<T> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => onData(() => socket.destroy()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  try {
    return await use(typeof address === "object" && address !== null ? address.port : 0);
  } finally {
    server.close();
  }
}

test("nobody listens: it was never sent", async () => {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop();
  const failure = await failureOf(`http://127.0.0.1:${port}`);
  expect(failure).toMatchObject({ code: "UNREACHABLE", reason: expect.stringContaining("refused") });
});

test("the connection is cut after the request: it may have been carried out", async () => {
  const failure = await withServer(
    (end) => end(),
    (port) => failureOf(`http://127.0.0.1:${port}`, { method: "POST", body: "x" }),
  );
  expect(failure).toMatchObject({ code: "NO_ANSWER", reason: expect.stringContaining("cut") });
});

test("no answer in time: it may have been carried out", async () => {
  const failure = await withServer(
    () => undefined,
    (port) => failureOf(`http://127.0.0.1:${port}`, { signal: AbortSignal.timeout(50) }),
  );
  expect(failure).toEqual({ code: "NO_ANSWER", reason: "no answer in time" });
});

test.each(["DEPTH_ZERO_SELF_SIGNED_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "CERT_HAS_EXPIRED"])(
  "a certificate that is not trusted (%s) names the remedy",
  (code) => {
    const failure = explainTransportFailure(Object.assign(new Error("x"), { code }));
    expect(failure).toMatchObject({ code: "UNREACHABLE", reason: expect.stringContaining("--ca-file") });
  },
);

test("what is no error at all is shown as it is", () => {
  expect(explainTransportFailure("odd")).toMatchObject({
    code: "NO_ANSWER",
    reason: expect.stringContaining("odd"),
  });
});
