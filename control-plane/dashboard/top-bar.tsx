/** The way between the pages, and out. */

import { type Route, SCANNERS_HREF, SCANS_HREF, useRoute } from "./route.ts";
import { useOperator } from "./session.ts";

const LINKS: readonly {
  readonly href: string;
  readonly text: string;
  readonly pages: readonly Route["page"][];
}[] = [
  { href: SCANNERS_HREF, text: "Scanners", pages: ["scanners"] },
  { href: SCANS_HREF, text: "Scans", pages: ["scans", "scan", "start-scan"] },
];

export function TopBar({ onSignOut }: { readonly onSignOut: () => void }) {
  const { name, role } = useOperator();
  const { page } = useRoute();
  return (
    <header>
      <span class="brand">Portolan</span>
      <nav aria-label="Pages">
        {LINKS.map(({ href, text, pages }) => (
          <a key={href} href={href} aria-current={pages.includes(page) ? "page" : undefined}>
            {text}
          </a>
        ))}
      </nav>
      <span class="who">
        <bdi>{name}</bdi> <span class="muted">{role}</span>
      </span>
      <button type="button" onClick={onSignOut}>
        Sign out
      </button>
    </header>
  );
}
