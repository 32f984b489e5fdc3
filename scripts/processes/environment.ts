/** Which environment a command gets. */

export interface EnvironmentOptions {
  /** `inherit`, the default: ours. `clean`: only PATH and HOME, where what we run under must not change the outcome. */
  readonly envBase?: "inherit" | "clean";
  /** Set on top of it. */
  readonly env?: Readonly<Record<string, string>>;
}

const CLEAN = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/root" };

export function environmentOf({
  envBase = "inherit",
  env = {},
}: EnvironmentOptions): Record<string, string | undefined> {
  return { ...(envBase === "inherit" ? process.env : CLEAN), ...env };
}
