// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include "cedar/formatter.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cli/policy_files.h"
#include "vocabulary/schema.h"

#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

int check(Session const& session, std::vector<std::string> const& paths)
{
    auto const sources = read_policy_sources(paths);
    if (sources.is_error())
        return fail(sources.error());
    if (sources->empty())
        return fail(not_found("no .cedar files there"));
    std::vector<cedar::SyntaxProblem> problems;
    auto const policies = vocabulary::parse_policies(*sources, problems);
    if (session.json) {
        JsonArray array;
        for (auto const& problem : problems)
            array.push_back(JsonObject { { "path", problem.path }, { "line", problem.span.line }, { "column", problem.span.column },
                { "message", problem.message } });
        print_json(JsonObject { { "files", sources->size() }, { "policies", policies.size() }, { "problems", std::move(array) } });
        return problems.empty() ? 0 : 1;
    }
    for (auto const& problem : problems)
        std::fprintf(
            stderr, "%s:%d:%d: %s\n", problem.path.c_str(), problem.span.line, problem.span.column, printable(problem.message).c_str());
    if (!problems.empty())
        return fail(invalid_argument(std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems")));
    print_line(std::to_string(policies.size()) + " policies in " + std::to_string(sources->size()) + " files: valid");
    return 0;
}

// ---- fmt

struct FormatOptions {
    std::vector<std::string> paths;
    bool check = false;
};

void print_problems(std::vector<cedar::SyntaxProblem> const& problems)
{
    for (auto const& problem : problems)
        std::fprintf(
            stderr, "%s:%d:%d: %s\n", problem.path.c_str(), problem.span.line, problem.span.column, printable(problem.message).c_str());
}

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

// ---- convert

int convert(std::string const& file)
{
    auto const bytes = read_file(file, cedar::source_bytes_max);
    if (bytes.is_error())
        return fail(bytes.error());
    auto const text = to_text(*bytes);
    if (Path(file).extension() == ".json") {
        auto const json = parse_json(text, { .size_max = cedar::source_bytes_max, .depth_max = cedar::expression_depth_max });
        auto const policies = json.is_ok() ? cedar::parse_policy_set_json(*json) : Result<cedar::PolicySet>(json.error());
        if (policies.is_error())
            return fail(Error(policies.error()).in(file));
        for (auto const& policy : policies->policies())
            print_line(cedar::to_string(*policy));
        return 0;
    }
    std::vector<cedar::SyntaxProblem> problems;
    auto const policies = cedar::PolicySet::parse({ { file, text } }, problems);
    print_problems(problems);
    if (!problems.empty())
        return fail(invalid_argument(std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems")));
    print_json(cedar::to_json(policies));
    return 0;
}

} // namespace

void add_policy_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("policy", "Cedar policies");
    command->require_subcommand(1);
    auto* checking = command->add_subcommand("check", "Check policies against Writ's schema, without an authority");
    auto const paths = std::make_shared<std::vector<std::string>>();
    checking->add_option("path", *paths, "Files, or folders with .cedar files")->required();
    add_json_flag(*checking, session);
    checking->footer("Exit code 1 if there is a problem.\n\nExample:\n  writ policy check examples/oncology");
    checking->callback([&session, paths] { session.action = [&session, paths] { return check(session, *paths); }; });

    auto* formatting = command->add_subcommand("fmt", "Lay policies out; prints the names of files it changed");
    auto const format_options = std::make_shared<FormatOptions>();
    formatting->add_option("path", format_options->paths, "Files, or folders with .cedar files")->required();
    formatting->add_flag("--check", format_options->check, "Change nothing; exit code 1 if a file would change");
    formatting->callback([&session, format_options] { session.action = [format_options] { return format(*format_options); }; });

    auto* conversion = command->add_subcommand("convert", "Cedar to its JSON form, or back");
    auto const file = std::make_shared<std::string>();
    conversion->add_option("file", *file, "A .cedar or a .json file")->required();
    conversion->footer("Example:\n  writ policy convert examples/oncology/policies.cedar > policies.json");
    conversion->callback([&session, file] { session.action = [file] { return convert(*file); }; });

    add_policy_decision_commands(*command, session);
    add_policy_replay_command(*command, session);
    add_policy_suggest_command(*command, session);
}

} // namespace writ::cli
