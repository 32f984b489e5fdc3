/**
 * The version of the wire contract between agent and control plane: one integer, raised with every change that the
 * other side can notice. An agent tells its own with every call, the control plane with every answer to one. The
 * control plane serves every version from MIN_WIRE_VERSION on, and refuses older ones with AGENT_OUTDATED. Newer ones
 * it serves too: a newer agent speaks the contract that it is answered with. Who tells none is not an agent of ours,
 * or only fetches a file, and is served.
 *
 * History
 *   1  2026-11  register, heartbeat, jobs with leases, numbered result batches
 */
export const WIRE_VERSION = 1;
export const MIN_WIRE_VERSION = 1;

/** Header in which both sides tell their wire version. */
export const WIRE_VERSION_HEADER = "x-portolan-wire";

/** Whether a version of an agent, `1.2.3`, comes before another. Undefined where one cannot be read. */
export function isOlderVersion(version: string, other: string): boolean | undefined {
  const [a, b] = [version, other].map((text) => /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number));
  if (a === undefined || b === undefined) return undefined;
  const at = a.findIndex((part, i) => part !== b[i]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** Version of both programs. Released together, so that one number answers "which version is this". */
export const PORTOLAN_VERSION = "0.1.0";
