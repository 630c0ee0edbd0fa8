// SPDX-License-Identifier: Apache-2.0
//
// writ policy explain: decides on one request, and shows of the policies that decided it, or came nearest, which parts held.
#include "cli/commands.h"
#include "cli/golden_table.h"
#include "cli/policy_files.h"
#include "cli/policy_output.h"

#include "cedar/explanation.h"

#include <memory>

namespace writ::cli {

namespace {

// LIMIT: permits shown of a denial: beyond the nearest few nobody looks.
constexpr std::size_t nearest_max = 3;

struct ExplainOptions {
    std::vector<std::string> paths;
    std::string principal, action, resource, context = "{}", entities;
};

JsonArray to_json(std::vector<cedar::MissingFact> const& facts)
{
    JsonArray array;
    for (auto const& fact : facts)
        array.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
    return array;
}

JsonObject to_json(cedar::ExplainedPart const& part)
{
    JsonObject object { { "text", part.text }, { "line", part.line }, { "outcome", cedar::to_string(part.outcome) },
        { "facts", to_json(part.facts) } };
    if (!part.error.empty())
        object.emplace("error", part.error);
    return object;
}

JsonArray to_json(std::vector<cedar::ExplainedPolicy> const& policies)
{
    JsonArray array;
    for (auto const& policy : policies) {
        JsonArray parts;
        for (auto const& part : policy.parts)
            parts.push_back(to_json(part));
        array.push_back(JsonObject { { "policy", policy.policy }, { "effect", policy.effect == cedar::Effect::permit ? "permit" : "forbid" },
            { "path", policy.path }, { "line", policy.line }, { "parts", std::move(parts) } });
    }
    return array;
}

std::string words_of(cedar::MissingFact const& fact, cedar::Outcome outcome)
{
    auto const text = printable(fact.fact) + " is " + printable(fact.found);
    return outcome == cedar::Outcome::holds ? text : text + "; wanted: " + printable(fact.wanted);
}

void print(cedar::ExplainedPart const& part)
{
    auto const colour = part.outcome == cedar::Outcome::holds ? Colour::green
        : part.outcome == cedar::Outcome::not_reached         ? Colour::dim
                                                              : Colour::red;
    print_line("    " + paint(colour, cedar::to_string(part.outcome)) + "  " + printable(part.text)
        + (part.line > 0 ? paint(Colour::dim, "  (line " + std::to_string(part.line) + ")") : ""));
    for (auto const& fact : part.facts)
        print_line("        " + words_of(fact, part.outcome));
    if (!part.error.empty())
        print_line("        " + printable(part.error));
}

void print(std::string_view title, std::vector<cedar::ExplainedPolicy> const& policies)
{
    for (auto const& policy : policies) {
        print_line("");
        print_line(std::string(title) + " " + (policy.effect == cedar::Effect::permit ? "permit " : "forbid ")
            + paint(Colour::bold, printable(policy.policy)) + "  " + printable(policy.path) + ":" + std::to_string(policy.line));
        for (auto const& part : policy.parts)
            print(part);
    }
}

Result<cedar::Request> read_request(ExplainOptions const& options)
{
    return parse_request({ { "principal", options.principal }, { "action", options.action }, { "resource", options.resource },
        { "context", TRY(parse_json_object(options.context).in("--context")) } });
}

Result<> explain(Session const& session, ExplainOptions const& options)
{
    auto const policies = TRY(read_policies(options.paths));
    auto const entities = TRY(read_entities(options.entities).in("--entities"));
    auto const request = TRY(read_request(options));
    auto const why = cedar::explain(request, policies, entities, nearest_max);
    if (session.json) {
        print_json(JsonObject { { "decision", decision_text(why.decision.allowed) }, { "policies", names_json(why.decision.determining) },
            { "missing", to_json(cedar::explain_denial(request, policies, entities, nearest_max)) },
            { "determining", to_json(why.determining) }, { "erring", to_json(why.erring) }, { "nearest", to_json(why.nearest) } });
        return {};
    }
    print_line(paint(why.decision.allowed ? Colour::green : Colour::red, decision_text(why.decision.allowed)) + " by "
        + list_of(why.decision.determining));
    for (auto const& error : why.decision.errors)
        print_line("    " + printable(error.policy) + " errs and is skipped: " + printable(error.message));
    print("decided by", why.determining);
    print("erred:", why.erring);
    print("came near:", why.nearest);
    return {};
}

} // namespace

void add_policy_explain_command(CLI::App& policy, Session& session)
{
    auto* explaining = policy.add_subcommand("explain", "Decide on one request, and say why: which conditions held, and which did not");
    auto const options = std::make_shared<ExplainOptions>();
    explaining->add_option("path", options->paths, "Files, or folders with .cedar files")->required();
    explaining->add_option("--principal", options->principal, "Such as Workload::\"spiffe://acme.ai/x\"")->required();
    explaining->add_option("--action", options->action, "Such as read")->required();
    explaining->add_option("--resource", options->resource, "Such as Dataset::\"fraud/transactions\"")->required();
    explaining->add_option("--context", options->context, "JSON; what is left out is empty")->capture_default_str();
    explaining->add_option("--entities", options->entities, "JSON file with entities, or a golden table")->type_name("FILE");
    add_json_flag(*explaining, session);
    explaining->footer("Example:\n  writ policy explain policies/examples/purpose --entities policies/examples/purpose/purpose.decisions.json \\\n"
                       "    --principal 'Workload::\"spiffe://acme.ai/fraud/trainer\"' --action train --resource "
                       "'Dataset::\"fraud/transactions\"' \\\n    --context '{\"purpose\": \"train\"}'");
    explaining->callback([&session, options] {
        session.action = [&session, options] {
            auto const done = explain(session, *options);
            return done.is_ok() ? 0 : fail(done.error());
        };
    });
}

} // namespace writ::cli
