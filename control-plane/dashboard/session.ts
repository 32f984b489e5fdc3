/** Who is signed in, for whatever shows or hides what a role may do. The server decides; this only keeps it tidy. */

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { SessionView } from "#shared/protocol/session.ts";

export type SignedIn = NonNullable<SessionView["operator"]>;

export const SessionContext = createContext<SignedIn>({ name: "", role: "viewer" });

export function useOperator(): SignedIn {
  return useContext(SessionContext);
}

/** True for those who may add scanners and start scans. */
export function useMayChange(): boolean {
  return useOperator().role !== "viewer";
}
