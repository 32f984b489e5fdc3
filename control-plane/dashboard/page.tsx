/** The frame of a page: its heading gets the focus, and its title goes to the window, when the page is opened. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

export interface PageProps {
  readonly title: string;
  /** Links and buttons beside the heading. */
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}

export function Page({ title, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  useEffect(() => {
    document.title = title.includes("Portolan") ? title : `${title} – Portolan`;
  }, [title]);
  return (
    <main>
      <div class="heading">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions !== undefined && <div class="actions">{actions}</div>}
      </div>
      {children}
    </main>
  );
}
