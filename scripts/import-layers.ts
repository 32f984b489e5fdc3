/**
 * Which folder may import which: the architecture of both programs as a table, each row with its reason.
 * A file belongs to the most specific row above it, and may always import its own folder.
 */

export interface Layer {
  /** A folder or a file, from the root. */
  readonly of: string;
  /** Folders and files of ours that it may import beside its own. */
  readonly mayImport: readonly string[];
  readonly reason: string;
}

const WORKHORSES = [
  "agent/engine",
  "agent/spool",
  "agent/client",
  "agent/identify",
  "agent/nmap",
  "agent/host",
] as const;

/** Computation only: the same input gives the same packets and the same order, so that tests can prove it. */
export const PURE = [
  "agent/engine/targets",
  "agent/engine/packet",
  "agent/engine/pacer.ts",
  "agent/engine/dedup.ts",
  "agent/engine/accuracy",
  "agent/engine/due-queue.ts",
  "agent/engine/host-caps.ts",
  "agent/engine/rate-shares.ts",
  "agent/engine/sent-history.ts",
] as const;

export const LAYERS: readonly Layer[] = [
  {
    of: "shared",
    mayImport: [],
    reason: "shared runs in agent, server and browser: it rests on nothing of ours",
  },

  { of: "agent/main.ts", mayImport: ["agent", "shared"], reason: "the agent's composition root" },
  {
    of: "agent/cli",
    mayImport: ["agent/config", "agent/daemon", "agent/output", ...WORKHORSES, "shared"],
    reason: "commands call what does the work; nothing that works calls a command",
  },
  { of: "agent/output", mayImport: ["shared"], reason: "formats know results, and not where they come from" },
  { of: "agent/config", mayImport: ["shared"], reason: "configuration is read before anything else exists" },
  {
    of: "agent/daemon",
    mayImport: ["agent/config", ...WORKHORSES, "shared"],
    reason: "the daemon alone joins engine, spool, client and the others",
  },
  ...WORKHORSES.map((of) => ({
    of,
    mayImport: of === "agent/host" ? ["agent/ffi", "shared"] : ["shared"],
    reason:
      "engine, spool, client, identify, nmap and host stand apart; native calls go through engine/link and host",
  })),
  {
    of: "agent/engine/link",
    mayImport: ["agent/engine", "agent/ffi", "shared"],
    reason: "of the engine, only the links speak to the kernel",
  },
  ...PURE.map((of) => ({
    of,
    mayImport: [...PURE, "shared/net", "shared/errors.ts"],
    reason: "targets, packet, accuracy, pacer and dedup are pure: no clock, no log, no kernel",
  })),
  { of: "agent/ffi", mayImport: ["shared"], reason: "ffi is the floor of the agent" },

  {
    of: "control-plane/main.ts",
    mayImport: ["control-plane", "shared"],
    reason: "the server's composition root",
  },
  {
    of: "control-plane/app.ts",
    mayImport: ["control-plane/http", "control-plane/services", "control-plane/store", "shared"],
    reason: "the app is put together from routes and services, and opens no socket",
  },
  {
    of: "control-plane/server.ts",
    mayImport: ["control-plane/app.ts", "control-plane/http", "shared"],
    reason: "the server opens sockets for the app and knows nothing else",
  },
  {
    of: "control-plane/run-server.ts",
    mayImport: [
      "control-plane/app.ts",
      "control-plane/server.ts",
      "control-plane/cli",
      "control-plane/dashboard",
      "control-plane/http",
      "control-plane/services",
      "control-plane/store",
      "shared",
    ],
    reason: "the life of a server joins store, services, app and sockets",
  },
  {
    of: "control-plane/cli",
    mayImport: ["control-plane/server.ts", "control-plane/services", "control-plane/store", "shared"],
    reason: "commands read options and call a running server; starting one is handed in from main",
  },
  {
    of: "control-plane/http",
    // The install script is served as it stands: a text, not code.
    mayImport: ["control-plane/services", "shared", "install.sh"],
    reason: "routes map requests to services; they hold no rules and no queries",
  },
  {
    of: "control-plane/services",
    mayImport: ["control-plane/store", "shared"],
    reason: "rules know the store, and neither HTTP nor the command line",
  },
  { of: "control-plane/store", mayImport: ["shared"], reason: "the store knows rows, not rules" },
  {
    of: "control-plane/dashboard",
    mayImport: ["shared/protocol"],
    reason: "the dashboard runs in a browser and knows the JSON API only",
  },
];
