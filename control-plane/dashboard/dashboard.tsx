/** The whole: sign-in, or the pages with what is around them. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { sessionViewSchema } from "#shared/protocol/session.ts";
import { Api, ApiContext } from "./api.ts";
import { LoadError } from "./load-error.tsx";
import { Page } from "./page.tsx";
import { type Route, useRoute } from "./route.ts";
import { ScanPage } from "./scan-page.tsx";
import { ScannersPage } from "./scanners-page.tsx";
import { ScansPage } from "./scans-page.tsx";
import { SessionContext, type SignedIn } from "./session.ts";
import { SignIn } from "./sign-in.tsx";
import { StartScanPage } from "./start-scan-page.tsx";
import { TopBar } from "./top-bar.tsx";

const RETRY_MS = 5_000;

/** `unknown` until the server has told. */
type State = SignedIn | "unknown" | "signed-out" | "ended";

export function Dashboard() {
  const [state, setState] = useState<State>("unknown");
  const [error, setError] = useState<Error>();
  const [signOutError, setSignOutError] = useState<Error>();
  const api = useMemo(() => new Api(() => setState("ended")), []);

  useEffect(() => {
    if (state !== "unknown") return;
    const ask = async (): Promise<void> => {
      const { operator } = await api.get("/api/session", sessionViewSchema);
      setState(operator ?? "signed-out");
    };
    const timer = setTimeout(() => ask().catch(setError), error === undefined ? 0 : RETRY_MS);
    return () => clearTimeout(timer);
  }, [state, error]);

  const signOut = (): void => {
    void api.delete("/api/session").then(() => setState("signed-out"), setSignOutError);
  };

  return (
    <ApiContext.Provider value={api}>
      {state === "unknown" ? (
        <LoadError error={error} isStale={false} />
      ) : typeof state === "string" ? (
        <SignIn hasEnded={state === "ended"} onSignedIn={setState} />
      ) : (
        <SessionContext.Provider value={state}>
          <TopBar onSignOut={signOut} />
          <div role="alert">
            {signOutError !== undefined && <p class="notice bad">Still signed in: {signOutError.message}</p>}
          </div>
          <Pages />
        </SessionContext.Provider>
      )}
    </ApiContext.Provider>
  );
}

function Pages() {
  return pageOf(useRoute());
}

function pageOf(route: Route) {
  switch (route.page) {
    case "scanners":
      return <ScannersPage />;
    case "scans":
      return <ScansPage />;
    case "start-scan":
      return <StartScanPage />;
    case "scan":
      // Another scan is another page, with nothing left of the one before.
      return <ScanPage key={route.id} id={route.id} />;
    case "unknown":
      return (
        <Page title="Nothing here">
          <p>This address names no page of the dashboard.</p>
        </Page>
      );
  }
}
