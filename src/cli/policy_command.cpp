// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include "vocabulary/schema.h"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

Result<std::vector<cedar::PolicySource>> read_sources(std::vector<std::string> const& paths)
{
    std::vector<Path> files;
    for (auto const& path : paths) {
        std::error_code error;
        if (!std::filesystem::is_directory(path, error)) {
            files.emplace_back(path);
            continue;
        }
        for (auto const& entry : std::filesystem::recursive_directory_iterator(path, error)) {
            if (entry.is_regular_file() && entry.path().extension() == ".cedar")
                files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    std::vector<cedar::PolicySource> sources;
    for (auto const& file : files)
        sources.push_back({ file.string(), to_text(TRY(read_file(file, cedar::source_bytes_max))) });
    return sources;
}

int check(Session const& session, std::vector<std::string> const& paths)
{
    auto const sources = read_sources(paths);
    if (sources.is_error())
        return fail(sources.error());
    if (sources->empty())
        return fail(not_found("no .cedar files there"));
    std::vector<cedar::SyntaxProblem> problems;
    auto const policies = vocabulary::parse_policies(*sources, problems);
    if (session.json) {
        JsonArray array;
        for (auto const& problem : problems)
            array.push_back(JsonObject { { "path", problem.path }, { "line", problem.span.line }, { "column", problem.span.column }, { "message", problem.message } });
        print_json(JsonObject { { "files", sources->size() }, { "policies", policies.size() }, { "problems", std::move(array) } });
        return problems.empty() ? 0 : 1;
    }
    for (auto const& problem : problems)
        std::fprintf(stderr, "%s:%d:%d: %s\n", problem.path.c_str(), problem.span.line, problem.span.column, printable(problem.message).c_str());
    if (!problems.empty())
        return fail(invalid_argument(std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems")));
    print_line(std::to_string(policies.size()) + " policies in " + std::to_string(sources->size()) + " files: valid");
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
}

} // namespace writ::cli
