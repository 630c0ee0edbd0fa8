// SPDX-License-Identifier: Apache-2.0
//
// The roles as commands: composition roots that name the implementations.
#pragma once

#include "cli/commands.h"
#include "cli/declarations.h"

namespace writ::programs {

void add_dev_command(CLI::App&, cli::Session&);
void add_authority_command(CLI::App&, cli::Session&);
void add_agent_command(CLI::App&, cli::Session&);
// writ audit witness; after the audit command
void add_witness_command(CLI::App&, cli::Session&);

std::shared_ptr<cli::DeclarationReader const> declaration_reader();

// Everything that a person can type, and what runs when it is. The process's exit code.
int run_writ(int count, char** arguments);

} // namespace writ::programs
