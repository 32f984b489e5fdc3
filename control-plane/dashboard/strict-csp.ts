/** Imported before every schema: without this zod tries `new Function`, which the page's policy forbids and reports. */

import { config } from "zod";

config({ jitless: true });
