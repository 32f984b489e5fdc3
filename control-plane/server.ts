/** Listens: the app behind sockets, plain or with TLS, on any number of addresses. */

import type { Server } from "bun";
import { errorMessage, PortolanError, UsageError } from "#shared/errors.ts";
import { MAX_POLL_WAIT_SECONDS, MAX_RESULT_BODY_BYTES } from "#shared/protocol/limits.ts";
import type { App } from "./http/environment.ts";

/** A connection may be silent as long as a poll may wait, and some more. */
const IDLE_TIMEOUT_SECONDS = MAX_POLL_WAIT_SECONDS + 30;
/** How long requests in flight may take to finish once the server stops. */
const STOP_TIMEOUT_MS = 5_000;

export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Both as PEM text; `cert` with its chain. */
export interface TlsIdentity {
  readonly cert: string;
  readonly key: string;
}

export interface RunningServer {
  /** `http://127.0.0.1:8420`, one for each address. */
  readonly urls: readonly string[];
  /** Answers requests from now on; those that came before have waited. */
  open(): void;
  /** Takes no new requests, lets those in flight finish for a few seconds. */
  stop(): Promise<void>;
}

/**
 * Takes the addresses. Requests wait until `open`, so that a server that has its addresses can still prepare, and one
 * that cannot have them changes nothing.
 * @throws PortolanError LISTEN_FAILED naming the address that cannot be had; then none is
 */
export function startServer(
  app: App,
  addresses: readonly ListenAddress[],
  tls: TlsIdentity | undefined,
): RunningServer {
  const opening = Promise.withResolvers<void>();
  let isOpen = false;
  const servers: Server<undefined>[] = [];
  for (const address of addresses) {
    try {
      servers.push(listen(app, address, tls, opening.promise));
    } catch (error) {
      for (const server of servers) void server.stop(true);
      throw listenError(address, error);
    }
  }
  return {
    urls: servers.map((server) => server.url.origin),
    open: () => {
      isOpen = true;
      opening.resolve();
    },
    stop: async () => {
      if (isOpen) await finishRequests(servers);
      await Promise.all(servers.map((server) => server.stop(true)));
    },
  };
}

async function finishRequests(servers: readonly Server<undefined>[]): Promise<void> {
  const finished = Promise.all(servers.map((server) => server.stop()));
  const timeout = AbortSignal.timeout(STOP_TIMEOUT_MS);
  await Promise.race([finished, new Promise((resolve) => timeout.addEventListener("abort", resolve))]);
}

function listen(
  app: App,
  { hostname, port }: ListenAddress,
  tls: TlsIdentity | undefined,
  opened: Promise<void>,
): Server<undefined> {
  return Bun.serve({
    hostname,
    port,
    development: false,
    // Without this Bun shares the port with any other process when `development` is false, instead of failing.
    reusePort: false,
    idleTimeout: IDLE_TIMEOUT_SECONDS,
    maxRequestBodySize: MAX_RESULT_BODY_BYTES,
    ...(tls === undefined ? {} : { tls }),
    fetch: async (request, server) => {
      const peerAddress = server.requestIP(request)?.address ?? "";
      await opened;
      return app.fetch(request, { peerAddress });
    },
  });
}

function listenError({ hostname, port }: ListenAddress, error: unknown): PortolanError {
  const isTaken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
  const why = isTaken ? "another program has it" : errorMessage(error);
  return new PortolanError("LISTEN_FAILED", `cannot listen on ${hostname}:${port}: ${why}`, { cause: error });
}

/**
 * Reads `127.0.0.1:8420`, `[::1]:8420` or `:8420`, which is every address.
 * @throws UsageError
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]*)):(\d{1,5})$/i.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new UsageError("USAGE", `'${text}' is no address to listen on; write it like 127.0.0.1:8420`);
  }
  const hostname = match[1] ?? match[2] ?? "";
  return { hostname: hostname === "" ? "0.0.0.0" : hostname, port };
}
