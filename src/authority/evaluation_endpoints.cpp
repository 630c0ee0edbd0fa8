// SPDX-License-Identifier: Apache-2.0
//
// Decisions for others (OpenID AuthZEN Authorization API 1.0).
#include "authority/endpoints.h"

namespace writ::authority {

namespace {

// LIMIT: evaluations in one request.
constexpr std::size_t evaluations_max = 1000;

// One member of an evaluation: the item's own, or the default beside `evaluations` (§7.1.1).
Result<JsonObject const*> part_of(JsonObject const& item, JsonObject const* defaults, std::string_view name)
{
    if (item.contains(name) || defaults == nullptr)
        return object_member(item, name);
    return object_member(*defaults, name);
}

Result<cedar::EntityUid> entity_of(JsonObject const& part)
{
    return cedar::EntityUid { std::string(TRY(string_member(part, "type"))), std::string(TRY(string_member(part, "id"))) };
}

// `fraud@7`, as records have it.
audit::RecordedEntity version_of(std::string_view type, std::string_view name)
{
    return recorded_entity(std::string(type) + (name.find('@') == std::string_view::npos ? "" : "Version"), std::string(name));
}

// What the caller, who enforces the decision, knows of what is in play: facts for the record, not for the decision alone.
void read_lineage(JsonObject const& context, Question& question)
{
    if (auto const model = string_or(context, "model", ""); !model.empty())
        question.model = version_of("Model", model);
    question.endpoint = string_or(context, "endpoint", "");
    if (auto const datasets = strings_member(context, "datasets"); datasets.is_ok()) {
        for (auto const& dataset : *datasets)
            question.datasets.push_back(version_of("Dataset", dataset));
    }
}

// SECURITY: policies rely on the run, so it is taken from a caller only if it is one of the subject's own that lives.
void read_run(Desk desk, JsonObject const& context, Question& question)
{
    auto const run = std::string(string_or(context, "run", ""));
    if (!identity::is_run_id(run))
        return;
    auto const found = desk.state.store.runs->find(run);
    if (found.is_ok() && !found->ended && found->workload == question.principal.id)
        question.run = run;
}

Result<Question> parse_evaluation(Desk desk, Call const& call, JsonObject const& item, JsonObject const* defaults)
{
    auto const subject = TRY(entity_of(*TRY(part_of(item, defaults, "subject"))).in("subject"));
    auto const action = std::string(TRY(string_member(*TRY(part_of(item, defaults, "action")), "name").in("action")));
    Question question;
    question.trace = trace_of(desk.state, call);
    question.request = request_id_of(call);
    question.caller = call.caller.id;
    question.principal = principal_of_id(*desk.state.snapshot, subject.id);
    question.principal.type = subject.type;
    question.action = action;
    question.resource = TRY(entity_of(*TRY(part_of(item, defaults, "resource"))).in("resource"));
    auto const context = part_of(item, defaults, "context");
    if (context.is_ok()) {
        auto const value = TRY(cedar::parse_value(JsonValue(**context)).in("context"));
        if (auto const* record = std::get_if<std::shared_ptr<cedar::Record const>>(&value.storage()))
            question.context = **record;
        question.purpose = std::string(string_or(**context, "purpose", ""));
        read_lineage(**context, question);
        read_run(desk, **context, question);
    } else if (item.contains("context")) {
        return context.error();
    }
    return question;
}

JsonObject to_json(Answer const& answer)
{
    JsonObject context { { "record", number_or_null(answer.record) } };
    if (!answer.allowed) {
        context.emplace("reason", "no policy permits it");
        context.emplace("missing", authority::to_json(answer.missing));
    }
    return { { "decision", answer.allowed }, { "context", std::move(context) } };
}

Reply evaluate_one(Desk desk, Call call, JsonObject item)
{
    auto parsed = parse_evaluation(desk, call, item, nullptr);
    auto question = CO_TRY(parsed);
    auto decided = co_await decide_and_record(desk.state, desk.state.snapshot, std::move(question));
    co_return json_response(to_json(CO_TRY(decided)));
}

Reply evaluation(Desk desk, Call call)
{
    auto body = parse_json_object(call.request.body);
    auto item = CO_TRY(body);
    co_return co_await evaluate_one(desk, call, std::move(item));
}

Reply evaluations(Desk desk, Call call)
{
    auto body = parse_json_object(call.request.body);
    auto const request = CO_TRY(body);
    // SPEC: §7.1: without `evaluations` it is a single evaluation.
    if (!request.contains("evaluations"))
        co_return co_await evaluate_one(desk, call, request);
    auto listed = array_member(request, "evaluations");
    auto const& items = *CO_TRY(listed);
    if (items.size() > evaluations_max)
        co_return invalid_argument("`evaluations` has at most " + std::to_string(evaluations_max) + " items");
    std::string semantic = "execute_all";
    if (auto const options = object_member(request, "options"); options.is_ok())
        semantic = string_or(**options, "evaluations_semantic", semantic);
    if (semantic != "execute_all" && semantic != "deny_on_first_deny" && semantic != "permit_on_first_permit")
        co_return invalid_argument("`evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit");
    JsonArray answers;
    for (auto const& item : items) {
        if (!item.is_object())
            co_return invalid_argument("an evaluation is an object");
        auto parsed = parse_evaluation(desk, call, item.as_object(), &request);
        auto question = CO_TRY(parsed);
        auto decided = co_await decide_and_record(desk.state, desk.state.snapshot, std::move(question));
        auto const answer = CO_TRY(decided);
        answers.push_back(to_json(answer));
        if ((semantic == "deny_on_first_deny" && !answer.allowed) || (semantic == "permit_on_first_permit" && answer.allowed))
            break;
    }
    co_return json_response(JsonObject { { "evaluations", std::move(answers) } });
}

} // namespace

void add_evaluation_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/access/v1/evaluation", Access::workload, evaluation);
    add_route(router, desk, "POST", "/access/v1/evaluations", Access::workload, evaluations);
}

} // namespace writ::authority
