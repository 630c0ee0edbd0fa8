// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/git_credential.h"
#include "cli/output.h"
#include "cli/standard_input.h"

#include <memory>

namespace writ::cli {

namespace {

Result<SecretText> answer_git(Session const& session)
{
    auto const question = TRY(read_standard_input(git_question_bytes_max));
    auto const url = TRY(parse_git_question(question.reveal()));
    return git_answer(TRY(ask_for_token(session, "git", url)));
}

int get(Session const& session)
{
    auto const answer = answer_git(session);
    if (answer.is_ok()) {
        std::fputs(answer->reveal().c_str(), stdout);
        return 0;
    }
    // Nobody else is asked, and no person either.
    print_line("quit=true");
    return fail(answer.error());
}

} // namespace

void add_git_credential_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("git-credential", "The run's tokens for git, as a credential helper gives them");
    auto const operation = std::make_shared<std::string>();
    command->add_option("operation", *operation, "get; store and erase do nothing, since nothing is kept")->required();
    command->footer("git calls it, by the configuration that `writ run` gives it for the places that declarations name (`git` of a CredentialProvider). It answers processes of a "
                    "run only.\n\nExample, within a run:\n  printf 'protocol=https\\nhost=git.example\\npath=team/model.git\\n\\n' | writ git-credential get");
    add_run_dir_option(*command, session);
    command->callback([&session, operation] {
        // SPEC: gitcredentials(7): a helper that does not know an operation ignores it.
        session.action = [&session, operation] { return *operation == "get" ? get(session) : 0; };
    });
}

} // namespace writ::cli
