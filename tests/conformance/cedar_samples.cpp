// SPDX-License-Identifier: Apache-2.0
//
// What lies about in the reference's own repository: samples of its command-line tool, its formatter's tests and their snapshots. A file's name
// says what is expected of it: `*_bad*` and `invalid*` do not validate, of `tests-fail*`, `tests-*error*` and `tests-missing*` not all hold.
#include "cedar_cases.h"

#include "cedar/ast.h"
#include "cedar/engine.h"
#include "cedar/formatter.h"
#include "cedar/lexer.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cedar/validator.h"
#include "cedar/value_json.h"

#include <algorithm>
#include <array>

namespace writ::cedar::conformance {

namespace {

bool says(fs::path const& path, std::string_view word) { return path.filename().string().find(word) != std::string::npos; }

std::vector<std::shared_ptr<Policy const>> all_of(PolicySet const& set)
{
    auto all = set.policies();
    all.insert(all.end(), set.templates().begin(), set.templates().end());
    return all;
}

std::string printed(PolicySet const& set)
{
    std::string text;
    for (auto const& policy : all_of(set))
        text += to_string(*policy) + "\n";
    return text;
}

std::vector<std::string> comments_of(std::string const& text)
{
    std::vector<Comment> comments;
    Lexer lexer(text, &comments);
    while (lexer.next().kind != TokenKind::end) { }
    std::vector<std::string> texts;
    for (auto const& comment : comments) {
        auto const end = comment.text.find_last_not_of(" \t");
        texts.emplace_back(comment.text.substr(0, end + 1));
    }
    std::sort(texts.begin(), texts.end());
    return texts;
}

Result<std::string> formatted(std::string const& name, std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto result = format_policies({ name, text }, problems);
    if (!problems.empty())
        return invalid_argument("is not formatted:" + text_of(problems));
    return result;
}

Result<> check_format(std::string const& name, std::string const& text, Tally& tally)
{
    auto const once = TRY(formatted(name, text));
    tally.check(TRY(formatted(name, once)) == once, "formatting it twice is not formatting it once");
    tally.check(comments_of(once) == comments_of(text), "formatting loses a comment");
    return {};
}

Result<> check_validity(PolicySet const& policies, fs::path const& path, Tally& tally)
{
    auto const schema_file = schema_beside(path);
    if (!schema_file)
        return {};
    auto const problems = validate(policies, TRY(read_schema(*schema_file)));
    bool const is_bad = says(path, "_bad") || says(path, "invalid");
    tally.check(problems.empty() != is_bad, problems.empty() ? "is valid" : "is not valid: " + problems.front().message);
    return {};
}

Result<> check_json_beside(PolicySet const& policies, fs::path const& path, Tally& tally)
{
    auto const beside = fs::path(path.string() + ".json");
    if (!fs::is_regular_file(beside))
        return {};
    auto const json = TRY(read_json(beside));
    auto const wanted = TRY(parse_policy_set_json(json.as_object().contains("effect")
            ? JsonValue(JsonObject { { "staticPolicies", JsonObject { { "policy0", json } } }, { "templates", JsonObject() }, { "templateLinks", JsonArray() } })
            : json));
    tally.check(printed(wanted) == printed(policies), "the JSON form beside is another policy");
    return {};
}

// As the golden file has them: three texts and a context. Without a schema, as the reference's tool reads them.
Result<Request> read_request(JsonObject const& json)
{
    auto const uid = [&](char const* name) -> Result<EntityUid> {
        auto const* const member = json.if_contains(name);
        if (member != nullptr && member->is_object())
            return parse_uid_json(*member);
        return parse_entity_uid(TRY(string_member(json, name)));
    };
    Request request { TRY(uid("principal")), TRY(uid("action")), TRY(uid("resource")), {} };
    if (json.contains("context"))
        request.context = TRY(parse_record(*TRY(object_member(json, "context"))));
    return request;
}

Result<EntityStore> read_entities(JsonValue const& json)
{
    EntityStore store;
    for (auto& entity : TRY(parse_entities(json)))
        store.add(std::move(entity));
    return store;
}

Result<Decision> decide_with_both(Request const& request, PolicySet const& policies, EntityStore const& entities)
{
    auto const decision = decide(request, policies, entities);
    auto const fast = Engine(policies, entities).decide(request);
    if (fast.allowed != decision.allowed || fast.determining != decision.determining || fast.errors.size() != decision.errors.size())
        return conflict("the two engines do not agree");
    return decision;
}

// Whether a golden decision comes out as it says; an error if it is none.
Result<bool> holds(JsonValue const& json, PolicySet const& policies)
{
    if (!json.is_object())
        return invalid_argument("a golden decision is no object");
    auto const& object = json.as_object();
    auto const request = TRY(read_request(*TRY(object_member(object, "request"))));
    auto const entities = TRY(read_entities(JsonValue(*TRY(array_member(object, "entities")))));
    auto const wanted = TRY(string_member(object, "decision"));
    if (wanted != "allow" && wanted != "deny")
        return invalid_argument("`decision` is neither `allow` nor `deny`");
    auto reasons = TRY(strings_member(object, "reason"));
    auto const* const errors = object.if_contains("num_errors");
    if (errors == nullptr || !errors->is_int64())
        return invalid_argument("`num_errors` is no number");
    auto decision = TRY(decide_with_both(request, policies, entities));
    std::sort(reasons.begin(), reasons.end());
    std::sort(decision.determining.begin(), decision.determining.end());
    return decision.allowed == (wanted == "allow") && decision.determining == reasons && decision.errors.size() == static_cast<std::size_t>(errors->as_int64());
}

// `Decision: Allow` in a README beside a request.
std::optional<bool> decision_of_readme(fs::path const& folder)
{
    auto const text = read_text(folder / "README.md");
    auto const at = text.find("Decision: ");
    if (at == std::string::npos)
        return std::nullopt;
    return text.compare(at + 10, 5, "Allow") == 0;
}

} // namespace

void run_policies(fs::path const& path, Tally& tally)
{
    tally.run("policies", path.string(), [&]() -> Result<> {
        auto const policies = TRY(read_policies(path, false));
        for (auto const& policy : all_of(policies))
            TRY(check_policy_forms(*policy, tally));
        auto const json = to_json(policies);
        tally.check(to_json(TRY(parse_policy_set_json(json))) == json, "the set's JSON form is not read to the same");
        TRY(check_format(path.filename().string(), read_text(path), tally));
        TRY(check_json_beside(policies, path, tally));
        return check_validity(policies, path, tally);
    });
}

// One policy, or a set of them. What is neither must be refused.
void run_policy_json(fs::path const& path, Tally& tally)
{
    tally.run("policies in JSON", path.string(), [&]() -> Result<> {
        auto const json = TRY(read_json(path));
        bool const is_single = json.is_object() && json.as_object().contains("effect");
        auto const set = is_single ? Result<PolicySet>(PolicySet()) : parse_policy_set_json(json);
        auto const policy = is_single ? parse_policy_json(json) : Result<Policy>(Policy());
        bool const is_bad = says(path, "mixed_properties") || says(path, "no_matching") || says(path, "invalid") || says(path, "_bad");
        bool const is_read = set.is_ok() && policy.is_ok();
        tally.check(is_read != is_bad, is_read ? "is read" : set.is_error() ? set.error().message : policy.error().message);
        if (is_read && is_single)
            TRY(check_policy_forms(*policy, tally));
        if (is_read)
            for (auto const& one : all_of(*set))
                TRY(check_policy_forms(*one, tally));
        return {};
    });
}

void run_entities(fs::path const& path, JsonValue const& json, Tally& tally)
{
    tally.run("entities", path.string(), [&]() -> Result<> {
        for (auto const& entity : TRY(parse_entities(json))) {
            auto const once = JsonValue(JsonArray { to_json(entity) });
            auto const again = TRY(parse_entities(once));
            tally.check(to_json(again.front()) == once.as_array().front(), to_string(entity.uid) + " is not read to the same from its own JSON form");
        }
        return {};
    });
}

void run_request(fs::path const& path, JsonObject const& json, Tally& tally)
{
    tally.run("requests", path.string(), [&]() -> Result<> {
        auto const request = TRY(read_request(json));
        if (auto const schema_file = schema_beside(path)) {
            auto const schema = TRY(read_schema(*schema_file));
            auto typed = request;
            typed.context = TRY(parse_context(json.at("context"), request.action, schema));
            auto const valid = validate_request(typed, schema);
            tally.check(valid.is_ok(), valid.is_error() ? valid.error().message : "");
        }
        auto const wanted = decision_of_readme(path.parent_path());
        if (!wanted)
            return {};
        auto const policies = TRY(read_policies(path.parent_path() / "policy.cedar", false));
        auto const entities = TRY(read_entities(TRY(read_json(path.parent_path() / "entity.json"))));
        tally.check(TRY(decide_with_both(request, policies, entities)).allowed == *wanted, "not the decision that README.md tells");
        return {};
    });
}

void run_decisions(fs::path const& path, JsonValue const& json, Tally& tally)
{
    tally.run("golden decisions", path.string(), [&]() -> Result<> {
        bool const should_fail = says(path, "fail") || says(path, "error") || says(path, "missing");
        auto const policies = TRY(read_policies(path.parent_path() / "policy.cedar", false));
        bool all = json.is_array();
        for (auto const& decision : all ? json.as_array() : JsonArray()) {
            auto const done = holds(decision, policies);
            all = all && done.is_ok() && *done;
            if (!should_fail)
                tally.check(done.is_ok() && *done, done.is_error() ? done.error().message : "another decision, other reasons or another number of errors");
        }
        tally.check(all != should_fail, all ? "all hold" : "not all hold");
        return {};
    });
}

// Of the reference's formatter: what it made of a file says what ours makes of it. The layout is each formatter's own.
void run_snapshot(Corpus const& corpus, fs::path const& path, Tally& tally)
{
    tally.run("formatter snapshots", path.string(), [&]() -> Result<> {
        auto const text = read_text(path);
        auto const begin = text.find("\n---\n");
        auto const named = text.find("input_file: ");
        if (!text.starts_with("---\n") || begin == std::string::npos || named == std::string::npos || named > begin)
            return invalid_argument("is no snapshot");
        auto const body = text.substr(begin + 5);
        TRY(check_format("snapshot", body, tally));
        auto const input = corpus.find(path, text.substr(named + 12, text.find('\n', named) - named - 12));
        if (!input)
            return {};
        std::vector<SyntaxProblem> problems;
        auto const ours = TRY(formatted("input", read_text(*input)));
        auto const from_input = PolicySet::parse({ { "input", ours } }, problems);
        auto const from_body = PolicySet::parse({ { "snapshot", body } }, problems);
        tally.check(problems.empty() && printed(from_input) == printed(from_body), "ours says another thing:" + text_of(problems));
        tally.check(comments_of(ours) == comments_of(body), "ours has other comments");
        return {};
    });
}

} // namespace writ::cedar::conformance
