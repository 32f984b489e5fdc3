/**
 * The version of the wire contract between agent and control plane: one integer, raised with every change that the
 * other side can notice. Both sides send it; the control plane serves every version from MIN_WIRE_VERSION on.
 *
 * History
 *   1  2026-11  register, heartbeat, jobs with leases, numbered result batches
 */
export const WIRE_VERSION = 1;
export const MIN_WIRE_VERSION = 1;

/** Header in which an agent tells its wire version. */
export const WIRE_VERSION_HEADER = "x-portolan-wire";

/** Version of both programs. Released together, so that one number answers "which version is this". */
export const PORTOLAN_VERSION = "0.1.0";
