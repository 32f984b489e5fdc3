/** An ordinary user, in no group: put before a command line to run it as one. */

export const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] as const;
