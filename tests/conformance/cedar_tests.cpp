// SPDX-License-Identifier: Apache-2.0
//
// Tests of policies, a schema, entities and requests. All are parsed (with the schema); decision, reasons and errors of each request must be the
// reference's, in both engines; and what the reference's validator says of each policy, entity and request must be what ours says.
#include "cedar_cases.h"

#include "cedar/ast.h"
#include "cedar/engine.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cedar/validator.h"
#include "cedar/value_json.h"

#include <algorithm>

namespace writ::cedar::conformance {

namespace {

struct Case {
    PolicySet policies;
    Schema schema;
    fs::path schema_path;
    JsonValue entities_json;
    EntityStore entities;
    std::unique_ptr<Engine const> engine;
};

Result<fs::path> named_file(Corpus& corpus, fs::path const& path, JsonObject const& test, char const* member)
{
    auto const named = TRY(string_member(test, member));
    auto const found = corpus.find(path, named);
    if (!found)
        return not_found("there is no file `" + std::string(named) + "`");
    corpus.used.insert(*found);
    return *found;
}

Result<Case> read_case(Corpus& corpus, fs::path const& path, JsonObject const& test)
{
    Case made;
    made.policies = TRY(read_policies(TRY(named_file(corpus, path, test, "policies")), true));
    made.schema_path = TRY(named_file(corpus, path, test, "schema"));
    made.schema = TRY(read_schema(made.schema_path));
    made.entities_json = TRY(read_json(TRY(named_file(corpus, path, test, "entities"))));
    return made;
}

Result<> prepare_decisions(Case& test)
{
    for (auto& entity : TRY(parse_entities(test.entities_json, test.schema).in("entities")))
        test.entities.add(std::move(entity));
    test.engine = std::make_unique<Engine const>(test.policies, test.entities);
    return {};
}

std::string joined(std::vector<std::string> texts)
{
    std::sort(texts.begin(), texts.end());
    std::string text;
    for (auto const& one : texts)
        text += " " + one;
    return text;
}

// The answer as one text, so that a difference shows itself.
std::string answer_of(bool allowed, std::vector<std::string> reasons, std::vector<std::string> errors)
{
    return (allowed ? "allow, by" : "deny, by") + joined(std::move(reasons)) + ", errors" + joined(std::move(errors));
}

std::string answer_of(Decision const& decision)
{
    std::vector<std::string> errors;
    for (auto const& error : decision.errors)
        errors.push_back(error.policy);
    return answer_of(decision.allowed, decision.determining, errors);
}

Result<EntityUid> uid_member(JsonObject const& request, char const* name) { return parse_uid_json(*TRY(object_member(request, name))); }

Result<Request> read_request(JsonObject const& json, Schema const& schema)
{
    Request request { TRY(uid_member(json, "principal")), TRY(uid_member(json, "action")), TRY(uid_member(json, "resource")), {} };
    auto const* const context = json.if_contains("context");
    request.context = TRY(parse_context(context != nullptr ? *context : JsonValue(JsonObject()), request.action, schema).in("context"));
    return request;
}

Result<> check_request(Case const& test, JsonObject const& json, Tally& tally)
{
    auto const request = TRY(read_request(json, test.schema));
    auto const decision = TRY(string_member(json, "decision"));
    if (decision != "allow" && decision != "deny")
        return invalid_argument("`decision` is neither `allow` nor `deny`");
    auto const reasons = TRY(strings_member(json, "reason"));
    auto const wanted = answer_of(decision == "allow", reasons, TRY(strings_member(json, "errors")));
    if (decision == "allow" && reasons.empty()) {
        tally.not_run("requests that are `allow` by no policy, which Cedar never says: they stand for the validator's tests", tally.name());
        return {};
    }
    auto const got = answer_of(decide(request, test.policies, test.entities));
    auto const fast = answer_of(test.engine->decide(request));
    tally.check(got == wanted && fast == wanted,
        std::string(string_or(json, "description", "request")) + ": wanted " + wanted + "; got " + got + "; from the engine " + fast);
    return {};
}

Result<> check_requests(Case& test, JsonObject const& json, Tally& tally)
{
    auto const& requests = *TRY(array_member(json, "requests"));
    if (requests.empty())
        return {};
    TRY(prepare_decisions(test));
    for (auto const& request : requests) {
        if (!request.is_object())
            return invalid_argument("a request is no object");
        if (auto const done = check_request(test, request.as_object(), tally); done.is_error())
            tally.check(false, done.error().message);
    }
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

Result<> check_policies(Case const& test, JsonObject const& expected, Tally& tally)
{
    auto const* const per_policy = TRY(object_member(expected, "perPolicy"));
    for (auto const& policy : test.policies.policies()) {
        auto const* const wanted = TRY(object_member(*per_policy, policy->id));
        for (auto const mode : { ValidationMode::strict, ValidationMode::permissive }) {
            auto const* const name = mode == ValidationMode::strict ? "strict" : "permissive";
            auto const problems = validate(*policy, test.schema, mode);
            auto const errors = strings_of(*wanted, mode == ValidationMode::strict ? "strictErrors" : "permissiveErrors");
            tally.check(problems.empty() == TRY(bool_member(*wanted, name)), policy->id + " " + name + ": wanted" + errors + "; got" + text_of(problems));
        }
    }
    return {};
}

Result<> check_request_validation(Case const& test, JsonArray const& requests, JsonArray const& answers, Tally& tally)
{
    if (requests.size() != answers.size())
        return invalid_argument(std::to_string(requests.size()) + " requests, " + std::to_string(answers.size()) + " answers of the validator");
    for (std::size_t i = 0; i < requests.size(); ++i) {
        auto const request = read_request(requests[i].as_object(), test.schema);
        auto const done = request.is_ok() ? validate_request(*request, test.schema) : Result<>(request.error());
        tally.check(done.is_ok() == TRY(bool_member(answers[i].as_object(), "strict")),
            "request " + std::to_string(i) + ": " + (done.is_error() ? done.error().message : "is valid"));
    }
    return {};
}

Result<> check_entity(JsonValue const& json, Schema const& schema)
{
    return validate_entity(TRY(parse_entity(json, schema)), schema);
}

Result<> check_entity_validation(Case const& test, JsonObject const& answers, Tally& tally)
{
    for (auto const& json : test.entities_json.as_array()) {
        auto const uid = TRY(uid_member(json.as_object(), "uid"));
        auto const* const wanted = answers.if_contains(uid.type + "::" + uid.id);
        if (wanted == nullptr)
            continue;
        auto const done = check_entity(json, test.schema);
        tally.check(done.is_ok() == !wanted->as_object().contains("errors"), done.is_error() ? done.error().message : "entity is valid");
    }
    return {};
}

Result<> check_validation(Case const& test, JsonObject const& json, JsonObject const& expected, Tally& tally)
{
    TRY(check_policies(test, *TRY(object_member(expected, "policyValidation")), tally));
    TRY(check_request_validation(test, *TRY(array_member(json, "requests")), *TRY(array_member(expected, "requestValidation")), tally));
    return check_entity_validation(test, *TRY(object_member(*TRY(object_member(expected, "entityValidation")), "perEntity")), tally);
}

std::optional<fs::path> expectation(Corpus& corpus, fs::path const& path, char const* ending)
{
    auto const beside = path.parent_path() / (path.stem().string() + ending);
    if (!fs::is_regular_file(beside))
        return std::nullopt;
    corpus.used.insert(beside);
    return beside;
}

Result<> check_case(Corpus& corpus, Case& test, fs::path const& path, JsonObject const& json, Tally& tally)
{
    bool const is_valid = validate(test.policies, test.schema).empty();
    auto const beside = expectation(corpus, path, ".validation.json");
    if (beside) {
        auto const expected = TRY(parse_json_object(read_text(*beside), corpus_limits));
        tally.check(is_valid == TRY(bool_member(*TRY(object_member(expected, "policyValidation")), "strict")), "strict validation of all policies");
        TRY(check_validation(test, json, expected, tally));
    } else if (json.contains("shouldValidate")) {
        tally.check(is_valid == TRY(bool_member(json, "shouldValidate")), "shouldValidate");
    }
    for (auto const& policy : test.policies.policies())
        TRY(check_policy_forms(*policy, tally));
    corpus.used.insert(fs::path(test.schema_path.string() + ".json"));
    TRY(check_schema_forms(test.schema_path, true, tally));
    return check_requests(test, json, tally);
}

// The first folder below the root says which corpus it is.
std::string kind_of(Corpus const& corpus, fs::path const& path)
{
    auto const name = path.parent_path().lexically_relative(corpus.root).string();
    return name.find("cedar-go") != std::string::npos || name.find("validate") != std::string::npos ? "validator tests"
        : name.find("corpus") != std::string::npos || name == "."                                    ? "corpus tests"
                                                                                                     : "hand-written tests";
}

} // namespace

void run_test(Corpus& corpus, fs::path const& path, JsonObject const& json, Tally& tally)
{
    auto const name = path.lexically_relative(corpus.root).string();
    auto test = read_case(corpus, path, json);
    if (test.is_error() && test.error().code == ErrorCode::not_found)
        return tally.not_run("tests of which a file is not in the folder", name + ": " + test.error().message);
    tally.run(kind_of(corpus, path), name, [&]() -> Result<> {
        if (test.is_error())
            return test.error();
        return check_case(corpus, *test, path, json, tally);
    });
}

// Whether entities can be read with a schema and follow it: all of them, and each alone.
void run_parsing_test(Corpus& corpus, fs::path const& path, JsonObject const& json, Tally& tally)
{
    auto const name = path.lexically_relative(corpus.root).string();
    auto const beside = expectation(corpus, path, ".parsing.json");
    auto const schema_file = named_file(corpus, path, json, "schema");
    auto const entities_file = named_file(corpus, path, json, "entities");
    if (!beside || schema_file.is_error() || entities_file.is_error())
        return tally.not_run("tests of which a file is not in the folder", name);
    tally.run("entity parsing tests", name, [&]() -> Result<> {
        auto const schema = TRY(read_schema(*schema_file));
        auto const wanted = TRY(parse_json_object(read_text(*beside), corpus_limits));
        auto const entities = read_json(*entities_file);
        bool all = entities.is_ok() && entities->is_array();
        auto const& per_entity = *TRY(object_member(wanted, "perEntity"));
        for (auto const& entity : all ? entities->as_array() : JsonArray()) {
            auto const done = check_entity(entity, schema);
            all = all && done.is_ok();
            auto const uid = TRY(uid_member(entity.as_object(), "uid"));
            if (per_entity.contains(uid.type + "::" + uid.id))
                tally.check(done.is_ok() == TRY(bool_member(*TRY(object_member(per_entity, uid.type + "::" + uid.id)), "success")),
                    to_string(uid) + ": " + (done.is_error() ? done.error().message : "is read"));
        }
        tally.check(all == TRY(bool_member(*TRY(object_member(wanted, "allEntities")), "success")), all ? "all are read" : "not all are read");
        return {};
    });
}

Result<> check_policy_forms(Policy const& policy, Tally& tally)
{
    auto const printed = to_string(policy);
    std::vector<SyntaxProblem> problems;
    auto const again = PolicySet::parse_numbered({ { "printed", printed } }, problems);
    auto const& list = policy.is_template() ? again.templates() : again.policies();
    tally.check(list.size() == 1 && to_string(*list[0]) == printed, "prints to what does not parse to the same:" + conformance::text_of(problems));
    auto const json = to_json(policy);
    auto const from_json = parse_policy_json(json);
    tally.check(from_json.is_ok() && to_json(*from_json) == json,
        "JSON is not read to the same" + (from_json.is_error() ? ": " + from_json.error().message : ""));
    return {};
}

} // namespace writ::cedar::conformance
