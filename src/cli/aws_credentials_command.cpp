// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

void add_aws_credentials_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("aws-credentials", "The run's AWS credentials, as a credential_process prints them");
    auto const profile = std::make_shared<std::string>();
    command->add_option("--profile", *profile, "A CredentialProvider or a Dataset; any other name: the run's first provider")->type_name("NAME");
    command->footer("AWS's clients call it, by the configuration that `writ run` writes for named profiles. It answers processes of a run only, and "
                    "prints a secret that lives minutes to hours.\n\nExample, in ~/.aws/config:\n  [profile training]\n  credential_process = writ "
                    "aws-credentials --profile training");
    add_run_dir_option(*command, session);
    command->callback([&session, profile] {
        session.action = [&session, profile] {
            auto const answer = call_agent(session, post_request("/v1/aws-credentials", JsonObject { { "profile", *profile } }));
            if (answer.is_error())
                return fail(answer.error());
            print_line(answer->body);
            return 0;
        };
    });
}

} // namespace writ::cli
