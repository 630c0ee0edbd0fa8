// SPDX-License-Identifier: Apache-2.0
//
// cedar_conformance DIR: Cedar's own corpus. DIR has corpus-tests.tar.xz or corpus-tests/, handwritten/ and cedar-go/. Of each test the policies, the schema and
// the entities are parsed (with the schema), and for each request decision, reasons and errors must be the reference's. `--show N` shows the first N failures.
#include "cedar/ast.h"
#include "cedar/engine.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cedar/validator.h"

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
    JsonValue entities_json;
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

// Some tests are about entities that do not parse.
enum class Parses : std::uint8_t { everything, policies };

Result<Case> read_case(fs::path const& root, JsonObject const& test, Parses parses)
{
    auto const file = [&](char const* name) -> Result<std::string> { return read_file(root / std::string(TRY(string_member(test, name)))); };
    Case made;
    std::vector<SyntaxProblem> problems;
    made.policies = PolicySet::parse_numbered({ { "policies", TRY(file("policies")) } }, problems);
    auto schema = Schema::parse({ { "schema", TRY(file("schema")) } }, problems);
    if (!schema || !problems.empty())
        return invalid_argument("does not parse:" + text_of(problems));
    made.schema = std::move(*schema);
    made.entities_json = TRY(parse_json(TRY(file("entities")), corpus_limits));
    for (auto& entity : parses == Parses::policies ? std::vector<Entity> {} : TRY(parse_entities(made.entities_json, made.schema).in("entities")))
        made.entities.add(std::move(entity));
    return made;
}

Result<EntityUid> uid_of(JsonObject const& request, char const* name)
{
    auto const* object = TRY(object_member(request, name));
    if (object->contains("__entity"))
        object = TRY(object_member(*object, "__entity"));
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

std::string text_of(std::vector<ValidationProblem> const& problems)
{
    std::string text;
    for (auto const& problem : problems)
        text += " " + std::to_string(problem.span.line) + ":" + std::to_string(problem.span.column) + ": " + problem.message + ";";
    return text;
}

std::string strings_of(JsonObject const& object, char const* name)
{
    auto const found = strings_member(object, name);
    return found.is_ok() ? joined(*found) : "";
}

Result<> check_policies(Case const& test, JsonObject const& expected, std::string const& where, Tally& tally)
{
    auto const* const per_policy = TRY(object_member(expected, "perPolicy"));
    for (auto const& policy : test.policies.policies()) {
        auto const* const wanted = TRY(object_member(*per_policy, policy->id));
        for (auto const mode : { ValidationMode::strict, ValidationMode::permissive }) {
            auto const* const name = mode == ValidationMode::strict ? "strict" : "permissive";
            auto const problems = validate(*policy, test.schema, mode);
            bool const holds = problems.empty() == TRY(bool_member(*wanted, name));
            auto const errors = strings_of(*wanted, mode == ValidationMode::strict ? "strictErrors" : "permissiveErrors");
            tally.check(holds, where + " " + policy->id + " " + name + ": wanted" + errors + "; got" + text_of(problems));
        }
    }
    return {};
}

Result<> check_validation(Case const& test, JsonObject const& json, JsonObject const& expected, std::string const& where, Tally& tally)
{
    TRY(check_policies(test, *TRY(object_member(expected, "policyValidation")), where, tally));
    auto const& requests = *TRY(array_member(json, "requests"));
    auto const& answers = *TRY(array_member(expected, "requestValidation"));
    for (std::size_t i = 0; i < std::min(requests.size(), answers.size()); ++i) {
        auto const& request_json = requests[i].as_object();
        Request request { TRY(uid_of(request_json, "principal")), TRY(uid_of(request_json, "action")), TRY(uid_of(request_json, "resource")), {} };
        auto const context = parse_context(request_json.at("context"), request.action, test.schema);
        request.context = context.is_ok() ? *context : Record {};
        auto const done = context.is_ok() ? validate_request(request, test.schema) : Result<>(context.error());
        tally.check(done.is_ok() == TRY(bool_member(answers[i].as_object(), "strict")), where + " request " + std::to_string(i) + ": " + (done.is_error() ? done.error().message : "is valid"));
    }
    auto const& answers_by_entity = *TRY(object_member(*TRY(object_member(expected, "entityValidation")), "perEntity"));
    for (auto const& entity_json : test.entities_json.as_array()) {
        auto const uid = TRY(uid_of(entity_json.as_object(), "uid"));
        auto const* const wanted = answers_by_entity.if_contains(uid.type + "::" + uid.id);
        if (wanted == nullptr)
            continue;
        auto const entity = parse_entity(entity_json, test.schema);
        auto const done = entity.is_ok() ? validate_entity(*entity, test.schema) : Result<>(entity.error());
        tally.check(done.is_ok() == !wanted->as_object().contains("errors"), where + ": " + (done.is_error() ? done.error().message : "entity is valid"));
    }
    return {};
}

// What is printed parses to the same again, as text and as JSON.
Result<> check_policy_forms(Policy const& policy, std::string const& where, Tally& tally)
{
    auto const printed = to_string(policy);
    std::vector<SyntaxProblem> problems;
    auto const again = PolicySet::parse_numbered({ { "printed", printed } }, problems);
    tally.check(again.size() == 1 && to_string(*again.policies()[0]) == printed, where + ": prints to what does not parse to the same:" + text_of(problems));
    auto const json = to_json(policy);
    auto const from_json = parse_policy_json(json);
    tally.check(from_json.is_ok() && to_json(*from_json) == json, where + ": JSON is not read to the same" + (from_json.is_error() ? ": " + from_json.error().message : ""));
    return {};
}

Result<> check_schema_forms(fs::path const& schema, std::string const& where, Tally& tally)
{
    std::vector<SyntaxProblem> problems;
    auto const syntax = parse_schema_syntax({ "schema", read_file(schema) }, problems);
    auto const json = to_json(syntax);
    auto const printed = to_string(syntax);
    tally.check(to_json(parse_schema_syntax({ "printed", printed }, problems)) == json && problems.empty(), where + ": a printed schema is another:" + text_of(problems));
    auto const beside = fs::path(schema.string() + ".json");
    if (!fs::exists(beside))
        return {};
    auto const wanted = TRY(parse_json(read_file(beside), corpus_limits));
    tally.check(json == wanted, where + ": schema as JSON: wanted " + to_text(wanted) + "; got " + to_text(json));
    auto const reread = TRY(parse_schema_json(wanted));
    tally.check(to_json(reread) == wanted && Schema::resolve({ reread }, problems).has_value(), where + ": schema from JSON:" + text_of(problems));
    return {};
}

Result<> check_forms(fs::path const& root, JsonObject const& json, Case const& test, std::string const& where, Tally& tally)
{
    for (auto const& policy : test.policies.policies())
        TRY(check_policy_forms(*policy, where, tally));
    auto const schema = TRY(string_member(json, "schema"));
    return check_schema_forms(root / std::string(schema), where, tally);
}

Result<> check_validation_beside(fs::path const& path, Case const& test, JsonObject const& json, Tally& tally)
{
    auto const beside = path.parent_path() / (path.stem().string() + ".validation.json");
    if (!fs::exists(beside))
        return {};
    return check_validation(test, json, TRY(parse_json_object(read_file(beside), corpus_limits)), path.filename().string(), tally);
}

Result<> check_test(fs::path const& root, fs::path const& path, Tally& tally)
{
    auto const json = TRY(parse_json_object(read_file(path), corpus_limits));
    auto test = TRY(read_case(root, json, Parses::everything));
    test.engine = std::make_unique<Engine const>(test.policies, test.entities);
    auto const name = path.filename().string();
    if (json.contains("shouldValidate"))
        tally.check(validate(test.policies, test.schema).empty() == TRY(bool_member(json, "shouldValidate")), name + " shouldValidate");
    if (auto const done = check_validation_beside(path, test, json, tally); done.is_error())
        tally.check(false, name + ": " + done.error().message);
    if (auto const done = check_forms(root, json, test, name, tally); done.is_error())
        tally.check(false, name + ": " + done.error().message);
    for (auto const& request : *TRY(array_member(json, "requests"))) {
        auto const where = name + " " + std::string(string_or(request.as_object(), "description", ""));
        if (auto const done = check_request(test, request.as_object(), where, tally); done.is_error())
            tally.check(false, where + ": " + done.error().message);
    }
    return {};
}

// Of cedar-go's tests only the validation files were made with the reference.
Result<> check_validation_alone(fs::path const& root, fs::path const& path, Tally& tally)
{
    auto const json = TRY(parse_json_object(read_file(path), corpus_limits));
    return check_validation_beside(path, TRY(read_case(root, json, Parses::policies)), json, tally);
}

bool is_test(fs::path const& path)
{
    auto const name = path.filename().string();
    auto const ends = [&](std::string_view end) { return name.ends_with(end); };
    return ends(".json") && !ends(".entities.json") && !ends(".validation.json") && !ends(".cedarschema.json");
}

// All tests below `folder`, whose files are named relative to `root`.
std::size_t check_folder(fs::path const& root, fs::path const& folder, Tally& tally, decltype(check_test)& check = check_test)
{
    std::vector<fs::path> paths;
    if (fs::is_directory(folder))
        for (auto const& entry : fs::recursive_directory_iterator(folder))
            if (entry.is_regular_file() && is_test(entry.path()))
                paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (auto const& path : paths)
        if (auto const done = check(root, path, tally); done.is_error())
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
    auto const others = check_folder(root / "cedar-go" / "x" / "exp" / "schema" / "validate", root / "cedar-go" / "x" / "exp" / "schema" / "validate", tally, check_validation_alone);
    std::cout << corpus << " corpus tests, " << handwritten << " handwritten, " << others
              << " of cedar-go; compared: strict and permissive validation of each policy, of entities and of requests; decision, reasons and "
                 "errors of each request; policies printed and as JSON, schemas printed and as the reference's JSON\n";
    std::cout << tally.passed << " passed, " << tally.failed << " failed\n";
    return tally.failed > 0 || tally.passed == 0 ? 1 : 0;
}
