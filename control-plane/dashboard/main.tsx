/** Where the dashboard starts in the browser. */

import "./strict-csp.ts";
import { render } from "preact";
import { Dashboard } from "./dashboard.tsx";

const root = document.getElementById("dashboard");
if (root === null) throw new Error("the page has no element to draw in");
root.replaceChildren();
render(<Dashboard />, root);
