/** The command line: which commands there are. */

import { Command } from "commander";
import type { Clock } from "#shared/clock.ts";
import { PORTOLAN_VERSION } from "#shared/protocol/version.ts";
import { backupCommand } from "./backup.ts";
import type { CliContext } from "./context.ts";
import { enrolmentCreateCommand } from "./enrolment-create.ts";
import { enrolmentListCommand } from "./enrolment-list.ts";
import { enrolmentRevokeCommand } from "./enrolment-revoke.ts";
import { scanCancelCommand } from "./scan-cancel.ts";
import { scanShowCommand } from "./scan-show.ts";
import { scanStartCommand } from "./scan-start.ts";
import { scannerAddCommand } from "./scanner-add.ts";
import { scannerApproveCommand } from "./scanner-approve.ts";
import { scannerDisableCommand } from "./scanner-disable.ts";
import { scannerEnableCommand } from "./scanner-enable.ts";
import { scannerListCommand } from "./scanner-list.ts";
import { scannerReleaseBindingCommand } from "./scanner-release-binding.ts";
import { scannerRemoveCommand } from "./scanner-remove.ts";
import { scannerRevokeCommand } from "./scanner-revoke.ts";
import { scannerRotateKeyCommand } from "./scanner-rotate-key.ts";
import { scannerTokenCommand } from "./scanner-token.ts";
import { serveCommand, type ServeConfig } from "./serve.ts";
import { tokenCreateCommand } from "./token-create.ts";
import { versionCommand } from "./version.ts";

/** Parsing it throws CommanderError for wrong flags and PortolanError for what commands refuse. */
export function createProgram(
  context: CliContext,
  clock: Clock,
  serve: (config: ServeConfig) => Promise<void>,
): Command {
  const program = new Command("portolan-control")
    .description("The control plane of Portolan: provisions scanners, hands out scans, keeps what they find.")
    .version(PORTOLAN_VERSION, "-V, --version", "print the version");
  program.addCommand(serveCommand(context, serve));
  program.addCommand(backupCommand(context));
  program.addCommand(
    new Command("scanner")
      .description("scanners")
      .addCommand(scannerAddCommand(context))
      .addCommand(scannerListCommand(context))
      .addCommand(scannerTokenCommand(context))
      .addCommand(scannerApproveCommand(context))
      .addCommand(scannerRevokeCommand(context))
      .addCommand(scannerRotateKeyCommand(context))
      .addCommand(scannerEnableCommand(context))
      .addCommand(scannerDisableCommand(context))
      .addCommand(scannerReleaseBindingCommand(context))
      .addCommand(scannerRemoveCommand(context)),
  );
  program.addCommand(
    new Command("enrolment")
      .description("tokens by which hosts make themselves scanners")
      .addCommand(enrolmentCreateCommand(context))
      .addCommand(enrolmentListCommand(context))
      .addCommand(enrolmentRevokeCommand(context)),
  );
  program.addCommand(
    new Command("scan")
      .description("scans")
      .addCommand(scanStartCommand(context, clock))
      .addCommand(scanShowCommand(context))
      .addCommand(scanCancelCommand(context)),
  );
  program.addCommand(
    new Command("token").description("operators' tokens").addCommand(tokenCreateCommand(context)),
  );
  program.addCommand(versionCommand(context));
  throwInsteadOfExit(program);
  return program;
}

/** Commander would print and exit by itself; errors are rendered in one place instead. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const child of command.commands) throwInsteadOfExit(child);
}
