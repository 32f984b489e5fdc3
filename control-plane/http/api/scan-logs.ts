/** `GET /api/scans/:id/logs`: a scan's log lines, in pages, or as events while they come. */

import { createRoute } from "@hono/zod-openapi";
import type { Context } from "hono";
import { z } from "zod";
import { scanLogListSchema } from "#shared/protocol/administration.ts";
import { numberParameter, pageQuerySchema } from "#shared/protocol/fields.ts";
import type { LogEvent } from "../../services/log-streams.ts";
import { scanLogView } from "../../services/scan-log-view.ts";
import type { Services } from "../../services/services.ts";
import type { App, AppEnv } from "../environment.ts";
import { eventStream, formatEvent, PULSE } from "../event-stream.ts";
import { errorAnswers, idParameter, OPERATOR_SECURITY } from "../route-parts.ts";
import { identifyOperator } from "./operator-auth.ts";

const EVENT_STREAM = "text/event-stream";

const logsRoute = createRoute({
  tags: ["scans"],
  security: OPERATOR_SECURITY,
  method: "get",
  path: "/scans/{id}/logs",
  summary: `What the scanners logged about the scan; with Accept: ${EVENT_STREAM}, as it comes`,
  request: {
    params: idParameter,
    query: pageQuerySchema,
    headers: z.object({
      /** Of an event stream: go on after the line with this id. */
      "last-event-id": numberParameter(z.int().min(0)).optional(),
    }),
  },
  responses: {
    200: {
      description:
        "A page of log lines; or events: `log`, a line each, and in the end `end` with the scan's status",
      content: { "application/json": { schema: scanLogListSchema }, [EVENT_STREAM]: { schema: z.string() } },
    },
    ...errorAnswers,
  },
});

export function addScanLogs(app: App, services: Services): void {
  app.openapi(logsRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    if (wantsEvents(c)) {
      const after = c.req.valid("header")["last-event-id"] ?? cursor ?? 0;
      return follow(c, services, id, after);
    }
    const { rows, nextCursor } = await services.scans.logs(id, limit, cursor);
    return c.json({ logs: rows.map(scanLogView), nextCursor }, 200);
  });
}

function wantsEvents(c: Context<AppEnv>): boolean {
  return c.req.header("accept")?.toLowerCase().includes(EVENT_STREAM) ?? false;
}

async function follow(
  c: Context<AppEnv>,
  services: Services,
  scanId: number,
  after: number,
): Promise<Response> {
  const gone = new AbortController();
  const events = await services.logStreams.follow(scanId, after, {
    signal: AbortSignal.any([gone.signal, c.req.raw.signal]),
    // A credential that ends takes the streams along that it opened.
    isStillAllowed: () =>
      identifyOperator(c, services).then(
        () => true,
        () => false,
      ),
  });
  return eventStream(formatted(events), () => gone.abort());
}

async function* formatted(events: AsyncGenerator<LogEvent>): AsyncGenerator<string> {
  for await (const event of events) yield formatLogEvent(event);
}

function formatLogEvent(event: LogEvent): string {
  switch (event.kind) {
    case "lines":
      return event.rows
        .map((row) => formatEvent({ id: row.id, event: "log", data: scanLogView(row) }))
        .join("");
    case "pulse":
      return PULSE;
    case "end":
      return formatEvent({ event: "end", data: { status: event.status } });
  }
}
