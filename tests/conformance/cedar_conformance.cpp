// SPDX-License-Identifier: Apache-2.0
//
// cedar_conformance DIR: Cedar's own corpus. DIR has corpus-tests.tar.xz or corpus-tests/, handwritten/ and cedar-go/. Of each test the policies, the schema and
// the entities are parsed (with the schema), and for each request decision, reasons and errors must be the reference's. `--show N` shows the first N failures.
#include "cedar/engine.h"
#include "cedar/schema.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

namespace {

namespace fs = std::filesystem;
using namespace writ;
using namespace writ::cedar;

constexpr JsonLimits corpus_limits { .size_max = 64U << 20U, .depth_max = 512 };

std::string read_file(fs::path const& path)
{
    std::ifstream file(path, std::ios::binary);
    return { std::istreambuf_iterator<char>(file), {} };
}

struct Tally {
    std::size_t passed = 0;
    std::size_t failed = 0;
    std::size_t shown_max = 10;

    void check(bool holds, std::string const& what)
    {
        if (holds) {
            ++passed;
            return;
        }
        if (failed++ < shown_max)
            std::cout << "FAILED " << what << '\n';
    }
};

struct Case {
    PolicySet policies;
    Schema schema;
    EntityStore entities;
    std::unique_ptr<Engine const> engine;
};

std::string text_of(std::vector<SyntaxProblem> const& problems)
{
    std::string text;
    for (auto const& problem : problems)
        text += " " + problem.path + ":" + std::to_string(problem.span.line) + ":" + std::to_string(problem.span.column) + ": " + problem.message + ";";
    return text;
}

Result<Case> read_case(fs::path const& root, JsonObject const& test)
{
    auto const file = [&](char const* name) -> Result<std::string> { return read_file(root / std::string(TRY(string_member(test, name)))); };
    Case made;
    std::vector<SyntaxProblem> problems;
    made.policies = PolicySet::parse_numbered({ { "policies", TRY(file("policies")) } }, problems);
    auto schema = Schema::parse({ { "schema", TRY(file("schema")) } }, problems);
    if (!schema || !problems.empty())
        return invalid_argument("does not parse:" + text_of(problems));
    made.schema = std::move(*schema);
    auto const json = TRY(parse_json(TRY(file("entities")), corpus_limits));
    for (auto& entity : TRY(parse_entities(json, made.schema).in("entities")))
        made.entities.add(std::move(entity));
    return made;
}

Result<EntityUid> uid_of(JsonObject const& request, char const* name)
{
    auto const* const object = TRY(object_member(request, name));
    return EntityUid { std::string(TRY(string_member(*object, "type"))), std::string(TRY(string_member(*object, "id"))) };
}

std::vector<std::string> sorted(std::vector<std::string> texts)
{
    std::sort(texts.begin(), texts.end());
    return texts;
}

std::string joined(std::vector<std::string> const& texts)
{
    std::string text;
    for (auto const& one : texts)
        text += " " + one;
    return text;
}

// The answer as one text, so that a difference shows itself.
std::string answer_of(bool allowed, std::vector<std::string> reasons, std::vector<std::string> errors)
{
    return (allowed ? "allow, by" : "deny, by") + joined(sorted(std::move(reasons))) + ", errors" + joined(sorted(std::move(errors)));
}

std::string answer_of(Decision const& decision)
{
    std::vector<std::string> errors;
    for (auto const& error : decision.errors)
        errors.push_back(error.policy);
    return answer_of(decision.allowed, decision.determining, errors);
}

Result<> check_request(Case const& test, JsonObject const& json, std::string const& where, Tally& tally)
{
    Request request { TRY(uid_of(json, "principal")), TRY(uid_of(json, "action")), TRY(uid_of(json, "resource")), {} };
    request.context = TRY(parse_context(json.at("context"), request.action, test.schema).in("context"));
    auto const got = answer_of(decide(request, test.policies, test.entities));
    auto const wanted = answer_of(TRY(string_member(json, "decision")) == "allow", TRY(strings_member(json, "reason")), TRY(strings_member(json, "errors")));
    auto const fast = answer_of(test.engine->decide(request));
    tally.check(got == wanted && fast == wanted, where + ": wanted " + wanted + "; got " + got + "; from the engine " + fast);
    return {};
}

Result<> check_test(fs::path const& root, fs::path const& path, Tally& tally)
{
    auto const json = TRY(parse_json_object(read_file(path), corpus_limits));
    auto test = TRY(read_case(root, json));
    test.engine = std::make_unique<Engine const>(test.policies, test.entities);
    for (auto const& request : *TRY(array_member(json, "requests"))) {
        auto const where = path.filename().string() + " " + std::string(string_or(request.as_object(), "description", ""));
        if (auto const done = check_request(test, request.as_object(), where, tally); done.is_error())
            tally.check(false, where + ": " + done.error().message);
    }
    return {};
}

bool is_test(fs::path const& path)
{
    auto const name = path.filename().string();
    auto const ends = [&](std::string_view end) { return name.ends_with(end); };
    return ends(".json") && !ends(".entities.json") && !ends(".validation.json") && !ends(".cedarschema.json");
}

// All tests below `folder`, whose files are named relative to `root`.
std::size_t check_folder(fs::path const& root, fs::path const& folder, Tally& tally)
{
    std::vector<fs::path> paths;
    if (fs::is_directory(folder))
        for (auto const& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file() && is_test(entry.path()))
                paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (auto const& path : paths)
        if (auto const done = check_test(root, path, tally); done.is_error())
            tally.check(false, path.filename().string() + ": " + done.error().message);
    return paths.size();
}

} // namespace

int main(int count, char** arguments)
{
    if (count < 2) {
        std::cerr << "usage: cedar_conformance DIR [--show N]\n";
        return 2;
    }
    fs::path const root(arguments[1]);
    Tally tally;
    if (count == 4 && std::string_view(arguments[2]) == "--show")
        tally.shown_max = std::stoul(arguments[3]);
    auto const corpus = check_folder(root, root / "corpus-tests", tally);
    auto const handwritten = check_folder(root / "handwritten", root / "handwritten" / "tests", tally);
    std::cout << corpus << " corpus tests, " << handwritten << " handwritten; compared: decision, reasons and errors of each request\n";
    std::cout << tally.passed << " passed, " << tally.failed << " failed\n";
    return tally.failed > 0 || tally.passed == 0 ? 1 : 0;
}
