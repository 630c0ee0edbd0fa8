// SPDX-License-Identifier: Apache-2.0
//
// What a person types: one file each command. A command adds itself to the tree of arguments and, when chosen, sets the session's action.
#pragma once

#include "cli/session.h"

#include <CLI/CLI.hpp>

namespace writ::cli {

void add_run_command(CLI::App&, Session&);
void add_aws_credentials_command(CLI::App&, Session&);
void add_git_credential_command(CLI::App&, Session&);
void add_docker_credential_command(CLI::App&, Session&);
void add_kubectl_credential_command(CLI::App&, Session&);
void add_doctor_command(CLI::App&, Session&);
void add_apply_command(CLI::App&, Session&);
void add_get_command(CLI::App&, Session&);
void add_delete_command(CLI::App&, Session&);
void add_token_command(CLI::App&, Session&);
void add_svid_command(CLI::App&, Session&);
void add_lease_command(CLI::App&, Session&);
void add_grant_command(CLI::App&, Session&);
void add_revoke_command(CLI::App&, Session&);
void add_secret_command(CLI::App&, Session&);
void add_ssh_command(CLI::App&, Session&);
void add_audit_command(CLI::App&, Session&);
void add_policy_command(CLI::App&, Session&);
void add_status_command(CLI::App&, Session&);
void add_version_command(CLI::App&, Session&);
void add_completion_command(CLI::App&, Session&);

// Of `writ policy`.
void add_policy_convert_command(CLI::App& policy, Session&);
void add_policy_diff_command(CLI::App& policy, Session&);
void add_policy_explain_command(CLI::App& policy, Session&);
void add_policy_test_command(CLI::App& policy, Session&);
void add_policy_replay_command(CLI::App& policy, Session&);
void add_policy_suggest_command(CLI::App& policy, Session&);

// writ audit explain
void add_audit_explain_command(CLI::App& audit, Session&);

// writ audit list, who-used, what-used, trace, never, digest, reindex
void add_audit_list_command(CLI::App& audit, Session&);
void add_audit_who_used_command(CLI::App& audit, Session&);
void add_audit_what_used_command(CLI::App& audit, Session&);
void add_audit_trace_command(CLI::App& audit, Session&);
void add_audit_never_command(CLI::App& audit, Session&);
void add_audit_digest_command(CLI::App& audit, Session&);
void add_audit_reindex_command(CLI::App& audit, Session&);
// writ audit export
// writ audit bundle, writ audit export, writ audit exports
void add_audit_bundle_command(CLI::App& audit, Session&);
void add_audit_export_command(CLI::App& audit, Session&);
// writ audit receipt, writ audit status
void add_audit_receipt_command(CLI::App& audit, Session&);
void add_audit_status_command(CLI::App& audit, Session&);
void add_audit_exports_command(CLI::App& audit, Session&);

// Shared by commands that print tables.
void add_json_flag(CLI::App&, Session&);
void add_run_dir_option(CLI::App&, Session&);

} // namespace writ::cli
