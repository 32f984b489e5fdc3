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

/** Version of both programs. Released together, so that one number answers "which version is this". */
export const PORTOLAN_VERSION = "0.1.0";
