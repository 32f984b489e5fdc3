/** Debian's Chromium for a test's lifetime, and one page of it that remembers every error it was told of. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium, type Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
/** Root may not use the sandbox; the rest keeps the browser from calling anyone but the page's own server. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export class Browser {
  readonly page: Page;
  /** What the page wrote to the console as an error, or threw. */
  readonly errors: string[] = [];
  /** Dialogs that scripts opened: nothing of ours opens any. */
  readonly dialogs: string[] = [];
  private readonly context: BrowserContext;
  private readonly userData: string;

  private constructor(context: BrowserContext, page: Page, userData: string) {
    this.context = context;
    this.page = page;
    this.userData = userData;
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(error.message));
    page.on("dialog", (dialog) => {
      this.dialogs.push(dialog.message());
      void dialog.dismiss();
    });
  }

  /** @throws Error with the line to run when Chromium is not installed */
  static async open(): Promise<Browser> {
    if (!existsSync(CHROMIUM)) {
      throw new Error("Chromium is not installed; these tests need it: apt-get install -y chromium");
    }
    const userData = mkdtempSync(join(tmpdir(), "portolan-chromium-"));
    const context = await chromium.launchPersistentContext(userData, {
      executablePath: CHROMIUM,
      args: ARGUMENTS,
    });
    const page = context.pages()[0] ?? (await context.newPage());
    return new Browser(context, page, userData);
  }

  async close(): Promise<void> {
    await this.context.close();
    rmSync(this.userData, { recursive: true, force: true });
  }
}
