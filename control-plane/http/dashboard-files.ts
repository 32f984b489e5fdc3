/** The dashboard's files, from where they are: inside the compiled program, or built from source at the start. */

import type { HTMLBundle } from "bun";
import { posix } from "node:path";
import type { DashboardFile } from "./dashboard.ts";

/** @param page what importing its HTML file gives */
export async function loadDashboard(page: HTMLBundle): Promise<DashboardFile[]> {
  if (page.files === undefined) return buildFromSource(page.index);
  return page.files.map(({ path, headers }) => dashboardFile(path, headers["content-type"], Bun.file(path)));
}

/** @throws AggregateError naming what does not compile */
async function buildFromSource(entry: string): Promise<DashboardFile[]> {
  const { outputs } = await Bun.build({ entrypoints: [entry], target: "browser", publicPath: "/" });
  return outputs.map((output) => dashboardFile(output.path, output.type, output));
}

function dashboardFile(path: string, contentType: string, content: Blob): DashboardFile {
  const name = posix.basename(path);
  return { path: name.endsWith(".html") ? "/" : `/${name}`, contentType, content };
}
