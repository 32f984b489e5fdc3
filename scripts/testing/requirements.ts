/** What the installation tests need of this machine. They fail with the line that mends it, and are never skipped. */

/** Debian package of each tool. */
const PACKAGES: Readonly<Record<string, string>> = {
  curl: "curl",
  debootstrap: "debootstrap",
  ip: "iproute2",
  nsenter: "util-linux",
  openssl: "openssl",
  setpriv: "util-linux",
  shellcheck: "shellcheck",
  strace: "strace",
  "systemd-nspawn": "systemd-container",
  unshare: "util-linux",
  wget: "wget",
};

/** @throws Error naming everything that is missing */
export function requireForInstallation(tools: readonly string[]): void {
  const missing: string[] = [];
  if (process.geteuid?.() !== 0) missing.push("root: run the tests with sudo");
  for (const tool of tools) {
    if (Bun.which(tool) === null) missing.push(`'${tool}': apt-get install -y ${PACKAGES[tool] ?? tool}`);
  }
  if (missing.length > 0) throw new Error(`installation tests need ${missing.join("; ")}`);
}
