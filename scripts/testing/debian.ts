/** The file system of a small Debian with systemd: made once, kept for the next run, and handed out as copies. */

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { mustExecute } from "../processes/command.ts";

const CACHE = join(process.env["XDG_CACHE_HOME"] || "/var/cache", "portolan-test");
const SUITE = "bookworm";
const PACKAGES = ["systemd", "systemd-sysv", "dbus", "curl", "ca-certificates"];

/** Downloads a Debian at first, which takes a minute or two. @returns a folder, which the caller removes */
export async function copyDebian(): Promise<string> {
  await makeFileSystem();
  removeAbandonedCopies();
  const copy = join(CACHE, `copy-${process.pid}`);
  try {
    await mustExecute(["cp", "--archive", join(CACHE, SUITE), copy]);
  } catch (error) {
    rmSync(copy, { recursive: true, force: true });
    throw error;
  }
  return copy;
}

async function makeFileSystem(): Promise<void> {
  const made = join(CACHE, SUITE);
  if (existsSync(made)) return;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = join(CACHE, `${SUITE}-${process.pid}`);
  const include = `--include=${PACKAGES.join(",")}`;
  try {
    const command = ["debootstrap", "--variant=minbase", include, SUITE, unfinished, debianMirror()];
    await mustExecute(command, { envBase: "clean" });
    renameSync(unfinished, made);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** The one that apt uses, where that is a Debian's; a machine behind a mirror reaches no other. */
function debianMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of ["/etc/apt/sources.list", ...files]) {
    if (!existsSync(file)) continue;
    const mirror = /^(?:URIs:|deb(?: \[[^\]]*\])?) *(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(
      readFileSync(file, "utf8"),
    )?.[1];
    if (mirror !== undefined) return mirror;
  }
  return "http://deb.debian.org/debian";
}

/** Those whose maker was killed before it could remove them. */
function removeAbandonedCopies(): void {
  for (const name of readdirSync(CACHE)) {
    const maker = /^(?:copy|bookworm)-(\d+)$/.exec(name)?.[1];
    if (maker !== undefined && !existsSync(`/proc/${maker}`)) {
      rmSync(join(CACHE, name), { recursive: true, force: true });
    }
  }
}
