/** `/api/session`: signing in and out in a browser. */

import { createRoute } from "@hono/zod-openapi";
import { z } from "zod";
import { sessionCreateRequestSchema, type SessionView, sessionViewSchema } from "#shared/protocol/session.ts";
import type { Services } from "../../services/services.ts";
import type { OperatorSession } from "../../services/sessions.ts";
import { isoTime } from "../../services/time.ts";
import type { App } from "../environment.ts";
import type { PublicUrlOptions } from "../public-url.ts";
import { errorAnswers, jsonBody, jsonContent, refuses, SESSION_SECURITY } from "../route-parts.ts";
import { requireSameOrigin } from "../same-origin.ts";
import { clearSessionCookie, sessionId, setSessionCookie } from "../session-cookie.ts";

const common = { tags: ["session"], path: "/session" };

const setsCookie = z.object({ "Set-Cookie": z.string().describe("The session's cookie, or its end") });

const signInRoute = createRoute({
  ...common,
  method: "post",
  summary: "Sign in with an operator's token; the answer sets the session's cookie",
  ...refuses("UNAUTHENTICATED", "FORBIDDEN", "RATE_LIMITED"),
  request: { body: jsonBody(sessionCreateRequestSchema) },
  responses: {
    200: { ...jsonContent(sessionViewSchema, "Who has signed in"), headers: setsCookie },
    ...errorAnswers,
  },
});

const getRoute = createRoute({
  ...common,
  method: "get",
  summary: "Who is signed in",
  responses: { 200: jsonContent(sessionViewSchema, "The operator, or null"), ...errorAnswers },
});

const signOutRoute = createRoute({
  ...common,
  method: "delete",
  summary: "Sign out",
  ...refuses("FORBIDDEN"),
  security: SESSION_SECURITY,
  responses: { 204: { description: "Signed out", headers: setsCookie }, ...errorAnswers },
});

export function addSession(app: App, { sessions }: Services, urlOptions: PublicUrlOptions): void {
  app.openapi(signInRoute, async (c) => {
    // Or a foreign page could sign this browser in as someone else, and see what is then entered.
    requireSameOrigin(c, urlOptions);
    const session = await sessions.signIn(c.req.valid("json").token, c.get("clientAddress"));
    setSessionCookie(c, urlOptions, session.id);
    return c.json(sessionView(session), 200);
  });
  app.openapi(getRoute, async (c) => {
    const id = sessionId(c);
    return c.json(sessionView(id === undefined ? undefined : await sessions.find(id)), 200);
  });
  app.openapi(signOutRoute, async (c) => {
    requireSameOrigin(c, urlOptions);
    const id = sessionId(c);
    if (id !== undefined) await sessions.signOut(id);
    clearSessionCookie(c, urlOptions);
    return c.body(null, 204);
  });
}

function sessionView(session: OperatorSession | undefined): SessionView {
  if (session === undefined) return { operator: null, expiresAt: null };
  const { name, role } = session.operator;
  return { operator: { name, role }, expiresAt: isoTime(session.expiresAtMs) };
}
