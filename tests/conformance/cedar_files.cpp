// SPDX-License-Identifier: Apache-2.0
//
// The count of tests, and reading of a corpus's files.
#include "cedar_cases.h"

#include <fstream>
#include <iostream>
#include <iterator>

namespace writ::cedar::conformance {

void Tally::run(std::string const& kind, std::string const& name, std::function<Result<>()> const& test)
{
    current_ = &kinds_[kind];
    name_ = name;
    holds_ = true;
    if (auto const done = test(); done.is_error())
        check(false, done.error().message);
    ++(holds_ ? current_->passed : current_->failed);
}

void Tally::check(bool holds, std::string const& what)
{
    ++current_->checks;
    holds_ = holds_ && holds;
    if (!holds && shown_++ < shown_max_)
        std::cout << "FAILED " << name_ << ": " << what << '\n';
}

void Tally::not_run(std::string const& why, std::string const& name) { not_run_[why].push_back(name); }

int Tally::print() const
{
    static constexpr std::size_t named_max = 4;
    std::size_t passed = 0, failed = 0, checks = 0;
    for (auto const& [kind, count] : kinds_) {
        std::cout << kind << ": " << count.passed << " of " << count.passed + count.failed << " tests, " << count.checks << " checks\n";
        passed += count.passed;
        failed += count.failed;
        checks += count.checks;
    }
    for (auto const& [why, names] : not_run_) {
        std::cout << "not run, " << names.size() << " (" << why << "):";
        for (std::size_t i = 0; i < std::min(names.size(), named_max); ++i)
            std::cout << ' ' << names[i];
        std::cout << (names.size() > named_max ? " …" : "") << '\n';
    }
    std::cout << checks << " checks in all\n" << passed << " passed, " << failed << " failed\n";
    return failed > 0 || passed == 0 ? 1 : 0;
}

std::optional<fs::path> Corpus::find(fs::path const& from, std::string_view named) const
{
    auto folder = from.parent_path();
    for (;;) {
        if (auto const path = folder / named; fs::is_regular_file(path))
            return path;
        if (folder == root || folder == folder.root_path() || folder.empty())
            break;
        folder = folder.parent_path();
    }
    auto const beside = from.parent_path() / fs::path(named).filename();
    return fs::is_regular_file(beside) ? std::optional(beside) : std::nullopt;
}

std::string read_text(fs::path const& path)
{
    std::ifstream file(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(file), {} };
}

Result<JsonValue> read_json(fs::path const& path) { return parse_json(read_text(path), corpus_limits); }

std::string text_of(std::vector<SyntaxProblem> const& problems)
{
    std::string text;
    for (auto const& problem : problems)
        text += " " + problem.path + ":" + std::to_string(problem.span.line) + ":" + std::to_string(problem.span.column) + ": " + problem.message + ";";
    return text;
}

Result<PolicySet> read_policies(fs::path const& path, bool is_numbered)
{
    std::vector<SyntaxProblem> problems;
    std::vector<PolicySource> const sources { { path.filename().string(), read_text(path) } };
    auto policies = is_numbered ? PolicySet::parse_numbered(sources, problems) : PolicySet::parse(sources, problems);
    if (!problems.empty())
        return invalid_argument("does not parse:" + text_of(problems));
    return policies;
}

Result<Schema> read_schema(fs::path const& path)
{
    std::vector<SyntaxProblem> problems;
    std::optional<Schema> schema;
    if (path.extension() == ".json")
        schema = Schema::resolve({ TRY(parse_schema_json(TRY(read_json(path)))) }, problems);
    else
        schema = Schema::parse({ { path.filename().string(), read_text(path) } }, problems);
    if (!schema || !problems.empty())
        return invalid_argument("schema does not parse:" + text_of(problems));
    return std::move(*schema);
}

std::optional<fs::path> schema_beside(fs::path const& path)
{
    auto const folder = path.parent_path();
    for (auto const& name : { path.stem().string() + ".cedarschema", std::string("schema.cedarschema"), std::string("schema.cedarschema.json") })
        if (fs::is_regular_file(folder / name))
            return folder / name;
    return std::nullopt;
}

} // namespace writ::cedar::conformance
