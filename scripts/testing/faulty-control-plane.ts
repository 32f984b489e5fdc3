/** A control plane that hands out what a test tells it to, right or wrong, and counts how often it was called. */

export interface FaultyAnswers {
  /** Answer to `GET /scanner/binary/…`. */
  readonly binary: () => Response;
  /** Answer to `POST /scanner/register`. */
  readonly register?: () => Response;
}

export interface FaultyControlPlane extends Disposable {
  readonly url: string;
  readonly calls: () => number;
}

export function serveFaulty({ binary, register }: FaultyAnswers): FaultyControlPlane {
  let calls = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request) => {
      calls++;
      const { pathname } = new URL(request.url);
      if (pathname.startsWith("/scanner/binary/linux/")) return binary();
      if (pathname === "/scanner/register" && register !== undefined) return register();
      return new Response("not here", { status: 404 });
    },
  });
  return {
    url: server.url.origin,
    calls: () => calls,
    [Symbol.dispose]: () => void server.stop(true),
  };
}

export function refused(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
