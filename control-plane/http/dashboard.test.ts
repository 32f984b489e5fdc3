import { expect, test } from "bun:test";
import page from "../dashboard/index.html";
import { describeOnSqlite } from "../store/testing/stores.ts";
import { TestControlPlane } from "../testing/control-plane.ts";
import { loadDashboard } from "./dashboard-files.ts";

describeOnSqlite("the dashboard", (openTestStore) => {
  test("is a page and its files, and each says how long it may be kept", async () => {
    const plane = new TestControlPlane(await openTestStore(), { dashboard: await loadDashboard(page) });
    const answer = await plane.call("GET", "/");
    expect(answer.headers.get("content-type")).toMatch(/^text\/html\b/);
    expect(answer.headers.get("cache-control")).toBe("no-cache");
    const links = [...String(answer.body).matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = ""]) => path);
    expect(links.map((path) => path.split(".").at(-1)).toSorted()).toEqual(["css", "js", "svg"]);
    for (const path of links) {
      const file = await plane.call("GET", path);
      expect([file.status, file.headers.get("cache-control")]).toEqual([
        200,
        "public, max-age=31536000, immutable",
      ]);
      expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    }
  });

  test("may load its own files, call its own server, and nothing else", async () => {
    const plane = new TestControlPlane(await openTestStore(), { dashboard: await loadDashboard(page) });
    const { headers, body } = await plane.call("GET", "/");
    expect(headers.get("content-security-policy")?.split("; ").toSorted()).toEqual([
      "base-uri 'none'",
      "connect-src 'self'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "img-src 'self'",
      "script-src 'self'",
      "style-src 'self'",
    ]);
    expect(headers.get("x-frame-options")).toBe("DENY");
    // Which holds only while the page has no script or style of its own inside.
    expect(body).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/);
  });

  test("takes nothing", async () => {
    const plane = new TestControlPlane(await openTestStore(), { dashboard: await loadDashboard(page) });
    const answer = await plane.call("POST", "/");
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
