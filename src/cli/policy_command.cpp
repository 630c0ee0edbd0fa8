// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/policy_files.h"
#include "cli/policy_output.h"

#include "cedar/formatter.h"
#include "vocabulary/schema.h"

#include <memory>

namespace writ::cli {

namespace {

struct CheckOptions {
    std::vector<std::string> paths;
    bool is_permissive = false;
};

int check(Session const& session, CheckOptions const& options)
{
    auto const sources = read_policy_sources(options.paths);
    if (sources.is_error())
        return fail(sources.error());
    std::vector<cedar::SyntaxProblem> problems;
    auto const mode = options.is_permissive ? cedar::ValidationMode::permissive : cedar::ValidationMode::strict;
    auto const policies = vocabulary::parse_policies(*sources, problems, mode);
    if (session.json) {
        print_json(JsonObject { { "files", sources->size() }, { "policies", policies.size() }, { "templates", policies.templates().size() },
            { "problems", problems_json(problems) } });
        return problems.empty() ? 0 : 1;
    }
    print_problems(problems);
    if (!problems.empty())
        return fail(problem_count(problems.size()));
    auto const templates = policies.templates().size();
    print_line(std::to_string(policies.size()) + (policies.size() == 1 ? " policy" : " policies") + (templates > 0 ? " and " + std::to_string(templates) + " templates" : "")
        + " in " + std::to_string(sources->size()) + (sources->size() == 1 ? " file: valid" : " files: valid"));
    return 0;
}

// ---- fmt

struct FormatOptions {
    std::vector<std::string> paths;
    bool check = false;
};

int format(FormatOptions const& options)
{
    auto const sources = read_policy_sources(options.paths);
    if (sources.is_error())
        return fail(sources.error());
    int code = 0;
    for (auto const& source : *sources) {
        std::vector<cedar::SyntaxProblem> problems;
        auto const formatted = cedar::format_policies(source, problems);
        print_problems(problems);
        if (!problems.empty()) {
            code = 1;
        } else if (formatted != source.text) {
            print_line(source.path);
            if (options.check) {
                code = 1;
                continue;
            }
            auto const written = replace_file(source.path, as_bytes(formatted), 0644);
            if (written.is_error())
                return fail(written.error());
        }
    }
    return code;
}

} // namespace

void add_policy_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("policy", "Cedar policies");
    command->require_subcommand(1);
    auto* checking = command->add_subcommand("check", "Check policies against Writ's schema, without an authority");
    auto const check_options = std::make_shared<CheckOptions>();
    checking->add_option("path", check_options->paths, "Files, or folders with .cedar files")->required();
    checking->add_flag("--permissive", check_options->is_permissive,
        "Let pass what cannot err but mixes types; `writ apply` does not let it pass");
    add_json_flag(*checking, session);
    checking->footer("Exit code 1 if there is a problem.\n\nExample:\n  writ policy check examples/oncology");
    checking->callback([&session, check_options] { session.action = [&session, check_options] { return check(session, *check_options); }; });

    auto* formatting = command->add_subcommand("fmt", "Lay policies out; prints the names of files it changed");
    auto const format_options = std::make_shared<FormatOptions>();
    formatting->add_option("path", format_options->paths, "Files, or folders with .cedar files")->required();
    formatting->add_flag("--check", format_options->check, "Change nothing; exit code 1 if a file would change");
    formatting->footer("Exit code 1 if a file does not parse.\n\nExample:\n  writ policy fmt --check policies");
    formatting->callback([&session, format_options] { session.action = [format_options] { return format(*format_options); }; });

    add_policy_convert_command(*command, session);
    add_policy_test_command(*command, session);
    add_policy_explain_command(*command, session);
    add_policy_diff_command(*command, session);
    add_policy_replay_command(*command, session);
    add_policy_suggest_command(*command, session);
}

} // namespace writ::cli
