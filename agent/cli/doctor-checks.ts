/**
 * What `doctor` looks at beside the network, which is in `link-checks.ts`. Each check says what is so and, where it should
 * not be, the command that mends it.
 */

import { accessSync, constants } from "node:fs";
import { errorMessage, PortolanError } from "#shared/errors.ts";
import { type ControlPlaneClient } from "../client/control-plane.ts";
import { ApiError } from "../client/api-error.ts";

export interface Check {
  readonly name: string;
  readonly status: "ok" | "warning" | "problem";
  readonly finding: string;
  readonly remedy?: string;
}

const CLOCK_SKEW_LIMIT_MS = 30_000;

export function checkEnrolment(stateDir: string, enrolled: boolean): Check {
  if (enrolled) return { name: "enrolment", status: "ok", finding: `credentials found in ${stateDir}` };
  return {
    name: "enrolment",
    status: "warning",
    finding: `no credentials in ${stateDir}; terminal scans need none`,
    remedy: "portolan-agent enroll --server https://CONTROL-PLANE   (token in PORTOLAN_TOKEN)",
  };
}

/** A service that cannot store results takes no work; a terminal scan stores nothing. */
export function checkStateDirectory(stateDir: string, enrolled: boolean): Check | undefined {
  if (!enrolled) return undefined;
  try {
    accessSync(stateDir, constants.R_OK | constants.W_OK | constants.X_OK);
    return { name: "state directory", status: "ok", finding: `${stateDir} can be written` };
  } catch {
    return {
      name: "state directory",
      status: "problem",
      finding: `${stateDir} cannot be written by this user`,
      remedy: "sudo -u portolan portolan-agent doctor   (or mend its owner: chown portolan: DIR)",
    };
  }
}

/** An empty heartbeat: tells whether the control plane is there, knows the key, and agrees on the time. */
export async function checkControlPlane(client: ControlPlaneClient, server: string): Promise<Check[]> {
  try {
    const { serverTime } = await client.heartbeat({});
    const skewMs = Date.now() - Date.parse(serverTime);
    const seconds = Math.round(Math.abs(skewMs) / 1_000);
    return [
      { name: "control plane", status: "ok", finding: `${server} knows this scanner` },
      Math.abs(skewMs) <= CLOCK_SKEW_LIMIT_MS
        ? { name: "clock", status: "ok", finding: "agrees with the control plane" }
        : {
            name: "clock",
            status: "warning",
            finding: `${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} the control plane`,
            remedy: "timedatectl set-ntp true",
          },
    ];
  } catch (error) {
    return [
      {
        name: "control plane",
        status: "problem",
        finding: errorMessage(error),
        remedy: remedyFor(error, server),
      },
    ];
  }
}

function remedyFor(error: unknown, server: string): string {
  const code = error instanceof PortolanError ? error.code : "";
  switch (code) {
    case "INVALID_API_KEY":
      return "portolan-control scanner token NAME   (and run the line that it prints on this host)";
    case "SCANNER_DISABLED":
      return "portolan-control scanner enable NAME";
    case "IP_BINDING_VIOLATION":
      return "portolan-control scanner release-binding NAME   (it then binds to this address)";
    default:
      return error instanceof ApiError && error.status === 0
        ? `curl -v ${server}/health   (name, firewall, proxy, or --ca-file for a private authority)`
        : `curl -i ${server}/health   (and look into the control plane's log)`;
  }
}
