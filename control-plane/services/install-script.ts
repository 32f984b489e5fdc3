/** The install script, filled in for one host. */

const MARKER = "# portolan:provisioning";

/**
 * @param script text of install.sh, which has a line that is exactly the marker
 * @throws Error without that line: the script and this program do not belong together
 */
export function fillInstallScript(script: string, serverUrl: string, token: string): string {
  const lines = script.split("\n");
  const at = lines.indexOf(MARKER);
  if (at < 0) throw new Error(`install.sh has no line '${MARKER}'`);
  lines.splice(at, 1, `PORTOLAN_SERVER=${shellQuote(serverUrl)}`, `PORTOLAN_TOKEN=${shellQuote(token)}`);
  return lines.join("\n");
}

/** The one line to run on a scanner's host. */
export function installCommand(serverUrl: string, token: string): string {
  const header = shellQuote(`Authorization: Bearer ${token}`);
  return `curl -fsSL -H ${header} ${shellQuote(`${serverUrl}/scanner/install`)} | sudo sh`;
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
