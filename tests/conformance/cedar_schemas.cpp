// SPDX-License-Identifier: Apache-2.0
//
// Schemas in both forms: each is read, printed and read again, and says the same in the other form.
#include "cedar_cases.h"

#include "cedar/value_json.h"

namespace writ::cedar::conformance {

namespace {

std::string names_of(auto const& names)
{
    std::string text;
    for (auto const& name : names)
        text += " " + name;
    return text;
}

std::string type_text(TypePointer const& type) { return type == nullptr ? "none" : to_string(*type); }

// What a schema means, as one text: forms that differ in words only come out the same.
std::string meaning_of(Schema const& schema)
{
    std::string text;
    for (auto const& [name, type] : schema.entity_types()) {
        text += "entity " + name + " in" + names_of(type.ancestors) + " enum" + names_of(type.choices) + " tags " + type_text(type.tags) + " {";
        for (auto const& [attribute, declared] : type.attributes)
            text += " " + attribute + (declared.is_required ? ": " : "?: ") + type_text(declared.type);
        text += " }\n";
    }
    for (auto const& [uid, action] : schema.actions()) {
        text += "action " + to_string(uid) + " in";
        for (auto const& group : action.ancestors)
            text += " " + to_string(group);
        text += " for" + names_of(action.principals) + " on" + names_of(action.resources) + " with " + type_text(action.context) + "\n";
    }
    return text;
}

Result<std::string> meaning_of(SchemaSyntax const& syntax)
{
    std::vector<SyntaxProblem> problems;
    auto const schema = Schema::resolve({ syntax }, problems);
    if (!schema || !problems.empty())
        return invalid_argument("schema does not resolve:" + text_of(problems));
    return meaning_of(*schema);
}

// The JSON form can name an entity type where only a common type may stand; in Cedar's syntax there is no such difference.
Result<std::string> meaning_as_text(SchemaSyntax const& syntax)
{
    if (auto meaning = meaning_of(syntax); meaning.is_ok())
        return meaning;
    std::vector<SyntaxProblem> problems;
    return meaning_of(parse_schema_syntax({ "printed", to_string(syntax) }, problems));
}

Result<> check_json_beside(SchemaSyntax const& syntax, fs::path const& beside, bool is_exact, Tally& tally)
{
    auto const wanted = TRY(read_json(beside));
    auto const reread = TRY(parse_schema_json(wanted));
    auto const json = to_json(syntax);
    if (is_exact) {
        tally.check(json == wanted, "schema as JSON: wanted " + to_text(wanted) + "; got " + to_text(json));
        tally.check(to_json(reread) == wanted, "schema from JSON is another");
    }
    tally.check(TRY(meaning_as_text(reread)) == TRY(meaning_of(syntax)), "the JSON form beside means another schema");
    return {};
}

Result<> check_syntax(SchemaSyntax const& syntax, Tally& tally)
{
    std::vector<SyntaxProblem> problems;
    auto const meaning = TRY(meaning_as_text(syntax));
    auto const json = to_json(syntax);
    auto const printed = to_string(syntax);
    auto const again = parse_schema_syntax({ "printed", printed }, problems);
    tally.check(problems.empty() && TRY(meaning_of(again)) == meaning && to_string(again) == printed, "a printed schema is another:" + text_of(problems));
    auto const from_json = TRY(parse_schema_json(json).in("its own JSON form"));
    tally.check(to_json(from_json) == json && TRY(meaning_as_text(from_json)) == meaning, "a schema from its own JSON form is another");
    return {};
}

} // namespace

Result<> check_schema_forms(fs::path const& schema, bool is_exact, Tally& tally)
{
    if (schema.extension() == ".json")
        return check_syntax(TRY(parse_schema_json(TRY(read_json(schema)))), tally);
    std::vector<SyntaxProblem> problems;
    auto const syntax = parse_schema_syntax({ "schema", read_text(schema) }, problems);
    if (!problems.empty())
        return invalid_argument("schema does not parse:" + text_of(problems));
    TRY(check_syntax(syntax, tally));
    auto const beside = fs::path(schema.string() + ".json");
    return fs::is_regular_file(beside) ? check_json_beside(syntax, beside, is_exact, tally) : Result<>();
}

void run_schema(fs::path const& path, Tally& tally)
{
    tally.run("schemas", path.string(), [&] { return check_schema_forms(path, false, tally); });
}

void run_schema_json(fs::path const& path, Tally& tally)
{
    tally.run("schemas in JSON", path.string(), [&] { return check_schema_forms(path, false, tally); });
}

} // namespace writ::cedar::conformance
