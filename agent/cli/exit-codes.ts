/** Exit codes of the command line. */

export const EXIT_FAILED = 1;
/** The user's input is wrong; nothing was started. */
export const EXIT_USAGE = 2;
/** 128 + SIGINT, as shells count. */
export const EXIT_INTERRUPTED = 130;
