// SPDX-License-Identifier: Apache-2.0
//
// writ policy convert: policies, schemas and entities from Cedar's syntax to its JSON forms, and back. What a file is shows in its name, and JSON
// in what it holds.
#include "cli/commands.h"
#include "cli/policy_output.h"

#include "base/durable_file.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cedar/value_json.h"
#include "vocabulary/schema.h"

#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

struct ConvertOptions {
    std::string file;
    std::string schema;
};

Result<> checked(std::vector<cedar::SyntaxProblem> const& problems)
{
    print_problems(problems);
    return problems.empty() ? Result<>() : problem_count(problems.size());
}

Result<std::string> read_text(std::string const& file) { return to_text(TRY(read_file(file, cedar::source_bytes_max))); }

Result<JsonValue> read_json(std::string const& file)
{
    // LIMIT: an expression takes two or three levels of JSON, and each operand of a chain of `&&` two.
    static constexpr std::size_t depth_max = 4 * std::size_t { cedar::expression_depth_max };
    return parse_json(TRY(read_text(file)), { .size_max = cedar::source_bytes_max, .depth_max = depth_max }).in(file);
}

// A policy's name is its key in JSON, and its @id in text. `policy3` is what the fourth policy of a text is called anyway.
void print_policy(cedar::Policy policy, std::size_t index)
{
    if (policy.annotation("id") == nullptr && policy.id != "policy" + std::to_string(index))
        policy.annotations.insert(policy.annotations.begin(), { "id", policy.id, {} });
    print_line(cedar::to_string(policy));
}

Result<> policies_to_text(JsonValue const& json)
{
    auto const set = TRY(cedar::parse_policy_set_json(json));
    std::size_t index = 0;
    for (auto const& policy : set.policies())
        print_policy(*policy, index++);
    for (auto const& policy : set.templates())
        print_policy(*policy, index++);
    return {};
}

Result<> policy_to_text(JsonValue const& json)
{
    print_line(cedar::to_string(TRY(cedar::parse_policy_json(json))));
    return {};
}

Result<> policies_to_json(std::string const& file)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto const policies = cedar::PolicySet::parse({ { file, TRY(read_text(file)) } }, problems);
    TRY(checked(problems));
    print_json(cedar::to_json(policies));
    return {};
}

Result<> schema_to_json(std::string const& file)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto const syntax = cedar::parse_schema_syntax({ file, TRY(read_text(file)) }, problems);
    TRY(checked(problems));
    print_json(cedar::to_json(syntax));
    return {};
}

Result<> schema_to_text(JsonValue const& json)
{
    auto const text = cedar::to_string(TRY(cedar::parse_schema_json(json)));
    std::fwrite(text.data(), 1, text.size(), stdout);
    return {};
}

Result<cedar::Schema> read_schema(std::string const& file)
{
    if (file.empty())
        return vocabulary::schema();
    std::vector<cedar::SyntaxProblem> problems;
    std::optional<cedar::Schema> schema;
    if (Path(file).extension() == ".json")
        schema = cedar::Schema::resolve({ TRY(cedar::parse_schema_json(TRY(read_json(file))).in(file)) }, problems);
    else
        schema = cedar::Schema::parse({ { file, TRY(read_text(file)) } }, problems);
    TRY(checked(problems));
    return std::move(*schema);
}

// What the schema lets be written in short is written in full, so that it says the same without the schema.
Result<> entities_in_full(JsonValue const& json, std::string const& schema_file)
{
    auto const schema = TRY(read_schema(schema_file));
    JsonArray entities;
    for (auto const& element : json.as_array())
        entities.push_back(cedar::to_json(TRY(cedar::parse_entity(element, schema))));
    print_json(entities);
    return {};
}

Result<> convert_json(std::string const& file, std::string const& schema)
{
    auto const json = TRY(read_json(file));
    if (json.is_array())
        return entities_in_full(json, schema).in(file);
    bool const is_object = json.is_object();
    if (is_object && json.as_object().contains("effect"))
        return policy_to_text(json).in(file);
    bool const is_set = is_object && (json.as_object().contains("staticPolicies") || json.as_object().contains("templates"));
    return (is_set ? policies_to_text(json) : schema_to_text(json)).in(file);
}

int convert(ConvertOptions const& options)
{
    auto const extension = Path(options.file).extension();
    auto const done = extension == ".json" ? convert_json(options.file, options.schema)
        : extension == ".cedarschema"      ? schema_to_json(options.file)
                                           : policies_to_json(options.file);
    return done.is_ok() ? 0 : fail(done.error());
}

} // namespace

void add_policy_convert_command(CLI::App& policy, Session& session)
{
    auto* conversion = policy.add_subcommand("convert", "Policies, schemas and entities: Cedar to its JSON form, or back");
    auto const options = std::make_shared<ConvertOptions>();
    conversion->add_option("file", options->file,
        "*.cedar or *.cedarschema, to JSON; or JSON of a policy, a policy set or a schema, to Cedar; or of entities, to JSON that needs no schema")
        ->required();
    conversion->add_option("--schema", options->schema, "Schema of the entities, in either form; otherwise Writ's")->type_name("FILE");
    conversion->footer("Example:\n  writ policy convert examples/oncology/policies.cedar > policies.json\n"
                       "  writ policy convert policies/writ.cedarschema > writ.cedarschema.json");
    conversion->callback([&session, options] { session.action = [options] { return convert(*options); }; });
}

} // namespace writ::cli
