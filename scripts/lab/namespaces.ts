/** Network namespaces through `ip`: the few commands that a lab is made of. Needs root. */

import { existsSync, readdirSync } from "node:fs";

/** Runs a command to its end. Throws with what it wrote to stderr. */
export function run(command: readonly string[], input?: string): string {
  const result = Bun.spawnSync([...command], {
    stdin: input === undefined ? "ignore" : new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!result.success) {
    throw new Error(`${command.join(" ")} failed: ${result.stderr.toString().trim()}`);
  }
  return result.stdout.toString();
}

export function inNamespace(namespace: string, command: readonly string[]): string[] {
  return ["ip", "netns", "exec", namespace, ...command];
}

/** Sets a kernel parameter of a namespace. @param path below /proc/sys */
export function setKernel(namespace: string, path: string, value: number): void {
  run(inNamespace(namespace, ["sh", "-c", `echo ${value} >/proc/sys/${path}`]));
}

/** Lifts every limit on ICMP errors: the kernel sends few, and the reason of a port would be chance. */
export function answerEveryError(namespace: string): void {
  setKernel(namespace, "net/ipv4/icmp_ratelimit", 0);
  setKernel(namespace, "net/ipv4/icmp_ratemask", 0);
  setKernel(namespace, "net/ipv6/icmp/ratelimit", 0);
  // Of both families together, on kernels where it counts by namespace.
  for (const path of ["icmp_msgs_per_sec", "icmp_msgs_burst"]) {
    run(
      inNamespace(namespace, [
        "sh",
        "-c",
        `cd /proc/sys/net/ipv4; [ ! -e ${path} ] || echo 1000000 >${path}`,
      ]),
    );
  }
}

/** Why no namespace can be made here, with what mends it; undefined where it can. */
export function namespaceProblem(): string | undefined {
  if (process.geteuid?.() !== 0) return "network namespaces need root: run it with sudo";
  for (const [tool, debianPackage] of [
    ["ip", "iproute2"],
    ["nft", "nftables"],
  ] as const) {
    if (Bun.which(tool) === null) return `'${tool}' is missing: apt-get install ${debianPackage}`;
  }
  const probe = `ptl-${process.pid}-probe`;
  const made = Bun.spawnSync(["ip", "netns", "add", probe], { stderr: "pipe" });
  if (!made.success) return `network namespaces are not allowed here: ${made.stderr.toString().trim()}`;
  run(["ip", "netns", "del", probe]);
  return undefined;
}

/** Deletes lab namespaces whose maker is gone, so that a killed run leaves nothing for ever. */
export function removeAbandoned(): void {
  if (!existsSync("/run/netns")) return;
  for (const name of readdirSync("/run/netns")) {
    const maker = /^ptl-(\d+)-/.exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) run(["ip", "netns", "del", name]);
  }
}
