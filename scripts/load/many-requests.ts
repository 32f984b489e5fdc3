/**
 * Bun's `fetch` has 256 requests under way at a time and lets the others wait; how many is read from the environment
 * when the process starts. So a script that stands for thousands of agents runs itself again with the number set.
 */

const LIMIT = "BUN_CONFIG_MAX_HTTP_REQUESTS";
const REQUESTS = "30000";

/** @returns true in the process that is to do the work; false, with the exit code set, once that one has ended */
export async function hasManyRequests(): Promise<boolean> {
  if (process.env[LIMIT] === REQUESTS) return true;
  const child = Bun.spawn(["setpriv", "--pdeathsig=TERM", process.execPath, ...process.argv.slice(1)], {
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, [LIMIT]: REQUESTS },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await child.exited;
  return false;
}
