// SPDX-License-Identifier: Apache-2.0
#include "programs/programs.h"

#include "base/version.h"
#include "cli/docker_config.h"
#include "cli/output.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <span>

namespace writ::programs {

namespace {

void add_commands(CLI::App& app, cli::Session& session)
{
    add_dev_command(app, session);
    add_authority_command(app, session);
    add_agent_command(app, session);
    cli::add_run_command(app, session);
    cli::add_aws_credentials_command(app, session);
    cli::add_git_credential_command(app, session);
    cli::add_docker_credential_command(app, session);
    cli::add_kubectl_credential_command(app, session);
    cli::add_doctor_command(app, session);
    cli::add_apply_command(app, session);
    cli::add_get_command(app, session);
    cli::add_delete_command(app, session);
    cli::add_token_command(app, session);
    cli::add_svid_command(app, session);
    cli::add_lease_command(app, session);
    cli::add_grant_command(app, session);
    cli::add_revoke_command(app, session);
    cli::add_secret_command(app, session);
    cli::add_ssh_command(app, session);
    cli::add_audit_command(app, session);
    add_witness_command(app, session);
    cli::add_policy_command(app, session);
    cli::add_status_command(app, session);
    cli::add_version_command(app, session);
    cli::add_completion_command(app, session);
}

// Whether what stands behind `--` is a program and its arguments.
bool takes_a_program(std::span<std::string const> words)
{
    while (!words.empty() && words.front().starts_with("-"))
        words = words.subspan(words.front() == "--run-dir" ? std::min<std::size_t>(2, words.size()) : 1);
    return !words.empty() && (words.front() == "run" || words.front() == "doctor" || words.front() == "completion-words");
}

// Leaves the first of them, for who wants one.
std::vector<std::string> take_program(std::vector<std::string>& words)
{
    auto const mark = std::find(words.begin(), words.end(), "--");
    if (mark == words.end() || !takes_a_program(std::span(words.begin(), mark)))
        return {};
    std::vector<std::string> program(mark + 1, words.end());
    words.erase(std::min(mark + 2, words.end()), words.end());
    return program;
}

// Called by the name of Docker's helper, it is that command.
std::vector<std::string> words_of(int count, char** arguments)
{
    std::vector<std::string> words(arguments + std::min(count, 1), arguments + count);
    if (count > 0 && std::filesystem::path(arguments[0]).filename() == cli::docker_helper_name)
        words.insert(words.begin(), "docker-credential");
    return words;
}

} // namespace

int run_writ(int count, char** arguments)
{
    CLI::App app("Workload identity and access management for machine learning.", "writ");
    cli::Session session;
    session.declarations = declaration_reader();
    app.require_subcommand(1);
    app.set_version_flag("--version", "writ " + std::string(version_text));
    cli::add_run_dir_option(app, session);
    add_commands(app, session);
    // Behind the commands, which would inherit it.
    app.footer("Start with:\n  writ dev --trust-domain acme.example &       authority and agent on this machine\n"
               "  writ apply -f declarations                   who may touch what\n  writ run --purpose train -- python train.py  a job "
               "without a secret\n"
               "  writ audit who-used dataset oncology/biopsies\n\n`writ COMMAND --help` has more, with examples. Exit codes: 0 done, 1 "
               "failed, 2 usage, 69 nobody answers, 77 refused.");
    bool names_run_folder = false;
    try {
        auto words = words_of(count, arguments);
        names_run_folder = std::ranges::any_of(words, [](auto const& word) { return word == "--run-dir" || word.starts_with("--run-dir="); });
        session.words = take_program(words);
        std::reverse(words.begin(), words.end()); // as CLI11 takes them
        app.parse(words);
    } catch (CLI::ExtrasError const& error) {
        // CLI11 names what it does not know in any order.
        if (!names_run_folder || std::string_view(error.what()).find("--run-dir") == std::string_view::npos)
            return app.exit(error) == 0 ? 0 : static_cast<int>(cli::Exit::usage);
        (void)cli::fail(invalid_argument("--run-dir stands before the command: `writ --run-dir DIR COMMAND …`"));
        return static_cast<int>(cli::Exit::usage);
    } catch (CLI::ParseError const& error) {
        // CLI11 tells help and version by exceptions, too.
        return app.exit(error) == 0 ? 0 : static_cast<int>(cli::Exit::usage);
    }
    return session.action ? session.action() : static_cast<int>(cli::Exit::usage);
}

} // namespace writ::programs
