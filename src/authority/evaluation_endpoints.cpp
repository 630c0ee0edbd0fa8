// SPDX-License-Identifier: Apache-2.0
//
// Decisions for others (OpenID AuthZEN Authorization API 1.0).
#include "audit/record_items.h"
#include "authority/batch_decision.h"
#include "authority/endpoints.h"
#include "base/json_document.h"
#include "base/json_members.h"
#include "vocabulary/schema.h"

#include <algorithm>
#include <array>

namespace writ::authority {

namespace {

// LIMIT: evaluations in one request.
constexpr std::size_t evaluations_max = 1000;
// LIMIT: what a caller says with a question, its context and properties: a byte of text counts one, a value the weight besides. A record keeps 16 KiB of it.
constexpr std::size_t said_weight_max = 256U << 10U;
// LIMIT: of all questions of a request that are not alike; what stands beside `evaluations` counts for each of them.
constexpr std::size_t all_said_weight_max = 4U << 20U;
constexpr std::size_t value_weight = 16;
// LIMIT: denials of one request that are explained: an explanation looks at every policy, a decision at few.
constexpr std::size_t explained_denials_max = 16;
constexpr std::size_t answer_bytes = 64; // most have fewer

// One member of an evaluation: the item's own, or the default beside `evaluations` (§7.1.1).
Result<JsonObject const*> part_of(JsonObject const& item, JsonObject const* defaults, std::string_view name)
{
    if (item.contains(name) || defaults == nullptr)
        return object_member(item, name);
    return object_member(*defaults, name);
}

// What is asked about has to be found on record again, by what was asked, alone or among others.
Result<std::string_view> name_in(JsonObject const& part, std::string_view member, std::size_t bytes_max)
{
    auto const name = TRY(string_member(part, member));
    // All are looked at whatever the first ones are: so many go at a time.
    bool has_control = false;
    for (auto const c : name)
        has_control |= static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (name.size() > bytes_max || has_control)
        return invalid_argument("member `" + std::string(member) + "` has at most " + std::to_string(bytes_max) + " bytes and no control characters");
    return name;
}

Result<UidView> uid_in(JsonObject const& part)
{
    return UidView { TRY(name_in(part, "type", audit::item_type_bytes_max)), TRY(name_in(part, "id", audit::item_id_bytes_max)) };
}

Result<cedar::EntityUid> entity_of(JsonObject const& part)
{
    auto const uid = TRY(uid_in(part));
    return cedar::EntityUid { std::string(uid.type), std::string(uid.id) };
}

// `fraud@7`, as records have it.
audit::RecordedEntity version_of(std::string_view type, std::string_view name)
{
    return audit::recorded_entity(std::string(type) + (name.find('@') == std::string_view::npos ? "" : "Version"), std::string(name));
}

// What the caller, who enforces the decision, knows of what is in play: facts for the record, not for the decision alone.
Result<> read_lineage(JsonObject const& context, Question& question)
{
    if (auto const model = TRY(text_member_or(context, "model", "")); !model.empty())
        question.model = version_of("Model", model);
    question.endpoint = TRY(text_member_or(context, "endpoint", ""));
    if (context.contains("datasets")) {
        for (auto const& dataset : TRY(strings_member(context, "datasets")))
            question.datasets.push_back(version_of("Dataset", dataset));
    }
    return {};
}

// SECURITY: policies rely on the run, so it is taken from a caller only if it is one of the subject's own that lives.
Result<> read_run(Desk desk, JsonObject const& context, Question& question)
{
    auto const run = TRY(text_member_or(context, "run", ""));
    if (!identity::is_run_id(run))
        return {};
    auto const found = desk.state.store.runs->find(run);
    if (found.is_error() || found->ended || found->workload != question.principal.id)
        return {};
    question.run = run;
    auto const claims = parse_json_object(found->claims);
    auto const parsed = claims.is_ok() ? identity::parse_claims(*claims) : Result<identity::Claims>(claims.error());
    if (parsed.is_ok())
        question.measured = measured_of(*parsed, found->agent, "", found->started);
    return {};
}

// SPEC: §5.4: what is in a context is the caller's to say; of these members the authority makes something, so they have to be what it takes them for.
Result<> read_context(Desk desk, JsonObject const& context, Question& question)
{
    auto const value = TRY(cedar::parse_value(JsonValue(context)));
    if (auto const* record = std::get_if<std::shared_ptr<cedar::Record const>>(&value.storage()))
        question.context = **record;
    question.purpose = TRY(text_member_or(context, "purpose", ""));
    TRY(read_lineage(context, question));
    return read_run(desk, context, question);
}

// Of a type that no policy which was applied can speak of.
bool is_foreign(std::string_view type) { return vocabulary::schema().entity_type(type) == nullptr; }

Result<JsonObject const*> properties_of(JsonObject const& part)
{
    return part.contains("properties") ? object_member(part, "properties") : Result<JsonObject const*>(nullptr);
}

// What the caller knows of an entity: `properties`, or in drafts before 01 whatever stands beside type and id. SECURITY: of types that Writ's
// vocabulary has, the authority alone knows what they are like.
Result<> read_properties(JsonObject const& part, cedar::EntityUid const& uid, Question& question)
{
    auto const* const listed = TRY(properties_of(part));
    if (!is_foreign(uid.type))
        return {};
    cedar::Record attributes;
    for (auto const& [name, json] : listed != nullptr ? *listed : part) {
        if (listed == nullptr && (name == "type" || name == "id"))
            continue;
        // What no policy could compare (a null, a fraction) is left out.
        if (auto value = cedar::parse_value(json); value.is_ok())
            attributes.emplace(name, std::move(value).value());
    }
    if (!attributes.empty())
        question.foreign.push_back({ uid, std::move(attributes), {}, {} });
    return {};
}

// How much a value is, or anything beyond `max`.
std::size_t weight_of(JsonValue const& value, std::size_t max)
{
    std::size_t weight = value_weight;
    if (value.is_string())
        return weight + value.as_string().size();
    if (value.is_array()) {
        for (auto it = value.as_array().begin(); it != value.as_array().end() && weight <= max; ++it)
            weight += weight_of(*it, max - weight);
    } else if (value.is_object()) {
        for (auto it = value.as_object().begin(); it != value.as_object().end() && weight <= max; ++it)
            weight += it->key().size() + weight_of(it->value(), max > weight ? max - weight : 0);
    }
    return weight;
}

// What an item says itself, or what stands beside the items in its place.
Result<std::size_t> said_weight(JsonObject const& item, JsonObject const* defaults)
{
    std::size_t weight = 0;
    for (auto const* name : { "subject", "resource", "context" }) {
        auto const* const part = item.contains(name) ? item.if_contains(name) : defaults != nullptr ? defaults->if_contains(name) : nullptr;
        weight += part == nullptr ? 0 : weight_of(*part, said_weight_max);
    }
    if (weight > said_weight_max)
        return invalid_argument("what a question says is longer than " + std::to_string(said_weight_max >> 10U) + " KiB");
    return weight;
}

Result<Question> parse_evaluation(Desk desk, Call const& call, JsonObject const& item, JsonObject const* defaults)
{
    auto const subject = TRY(entity_of(*TRY(part_of(item, defaults, "subject"))).in("subject"));
    auto const action = TRY(name_in(*TRY(part_of(item, defaults, "action")), "name", audit::item_type_bytes_max).in("action"));
    Question question;
    question.trace = trace_of(desk.state, call);
    question.request = request_id_of(call);
    question.caller = call.caller.id;
    question.principal = principal_of_id(*desk.state.snapshot, subject.id);
    question.principal.type = subject.type;
    question.is_subject_asserted = call.caller.id != subject.id;
    question.action = action;
    auto const& resource = *TRY(part_of(item, defaults, "resource"));
    question.resource = TRY(entity_of(resource).in("resource"));
    TRY(read_properties(*TRY(part_of(item, defaults, "subject")), subject, question).in("subject"));
    TRY(read_properties(resource, question.resource, question).in("resource"));
    if (item.contains("context") || (defaults != nullptr && defaults->contains("context")))
        TRY(read_context(desk, *TRY(part_of(item, defaults, "context")), question).in("context"));
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

Reply evaluate_one(Desk desk, Call call, JsonDocument asked)
{
    auto const& item = asked.object();
    auto weighed = said_weight(item, nullptr);
    CO_TRY(weighed);
    auto parsed = parse_evaluation(desk, call, item, nullptr);
    auto question = CO_TRY(parsed);
    auto decided = co_await decide_and_record(desk.state, desk.state.snapshot, std::move(question));
    co_return json_response(to_json(CO_TRY(decided)));
}

Reply evaluation(Desk desk, Call call)
{
    auto body = JsonDocument::parse_object(call.request.body);
    co_return co_await evaluate_one(desk, call, CO_TRY(body));
}

// The questions of `evaluations`, those that differ in nothing but the resource in one group.
class BatchParser {
public:
    BatchParser(Desk desk, Call const& call, JsonObject const& request, std::size_t items)
        : desk_(desk)
        , call_(call)
        , request_(request)
        , trace_(trace_of(desk.state, call))
        , batch_(desk.state.snapshot, desk.state.clock.now())
    {
        batch_.expect(items);
    }

    Result<> add(JsonValue const& item)
    {
        if (!item.is_object())
            return invalid_argument("an evaluation is an object");
        auto const& object = item.as_object();
        auto const& part = *TRY(part_of(object, &request_, "resource"));
        auto const resource = TRY(uid_in(part).in("resource"));
        TRY(properties_of(part).in("resource"));
        // What the caller says of it is of this item alone.
        if (last_type_ != resource.type) {
            last_type_ = resource.type;
            is_last_type_foreign_ = is_foreign(resource.type);
        }
        auto const group = is_last_type_foreign_ ? TRY(new_group(object)) : TRY(group_of(object));
        batch_.add_item(group, resource);
        return {};
    }

    [[nodiscard]] Batch take() { return std::move(batch_); }

private:
    static constexpr std::array<std::string_view, 3> shared_parts { "subject", "action", "context" };

    Result<std::uint32_t> group_of(JsonObject const& item)
    {
        bool const is_default = std::none_of(shared_parts.begin(), shared_parts.end(), [&](auto part) { return item.contains(part); });
        if (is_default && default_group_)
            return *default_group_;
        if (!is_default && last_ != nullptr && is_alike(*last_, item))
            return last_group_;
        auto const group = TRY(new_group(item));
        if (is_default) {
            default_group_ = group;
        } else {
            last_ = &item;
            last_group_ = group;
        }
        return group;
    }

    Result<std::uint32_t> new_group(JsonObject const& item)
    {
        said_ += TRY(said_weight(item, &request_));
        if (said_ > all_said_weight_max)
            return invalid_argument("what the questions say is longer than " + std::to_string(all_said_weight_max >> 20U) + " MiB together, the defaults counted for each that differs");
        auto question = TRY(parse_evaluation(desk_, call_, item, &request_));
        question.trace = trace_;
        return batch_.add_group(std::move(question));
    }

    static bool is_alike(JsonObject const& a, JsonObject const& b)
    {
        return std::all_of(shared_parts.begin(), shared_parts.end(), [&](auto part) {
            auto const* const left = a.if_contains(part);
            auto const* const right = b.if_contains(part);
            return left == nullptr ? right == nullptr : right != nullptr && *left == *right;
        });
    }

    Desk desk_;
    Call const& call_;
    JsonObject const& request_;
    std::string trace_;
    Batch batch_;
    std::size_t said_ = 0; // weight, of all groups
    std::optional<std::uint32_t> default_group_;
    JsonObject const* last_ = nullptr; // the last item with a part of its own
    std::uint32_t last_group_ = 0;
    std::string last_type_; // of a resource
    bool is_last_type_foreign_ = true;
};

Result<Batch> parse_batch(Desk desk, Call const& call, JsonObject const& request)
{
    auto const& items = *TRY(array_member(request, "evaluations"));
    if (items.size() > evaluations_max)
        return invalid_argument("`evaluations` has at most " + std::to_string(evaluations_max) + " items");
    BatchParser parser(desk, call, request, items.size());
    for (auto const& item : items)
        TRY(parser.add(item));
    return parser.take();
}

Result<BatchSemantic> parse_semantic(JsonObject const& request)
{
    std::string semantic = "execute_all";
    if (request.contains("options"))
        semantic = TRY(text_member_or(*TRY(object_member(request, "options")), "evaluations_semantic", semantic).in("options"));
    if (semantic == "execute_all")
        return BatchSemantic::execute_all;
    if (semantic == "deny_on_first_deny")
        return BatchSemantic::deny_on_first_deny;
    if (semantic == "permit_on_first_permit")
        return BatchSemantic::permit_on_first_permit;
    return invalid_argument("`evaluations_semantic` is execute_all, deny_on_first_deny or permit_on_first_permit");
}

// Written as text: of a thousand answers the objects would cost more than the decisions.
std::string batch_text(Batch const& batch, std::vector<BatchAnswer> const& answers)
{
    std::string text = "{\"evaluations\":[";
    text.reserve(answers.size() * answer_bytes);
    std::size_t explained = 0;
    std::string kept; // what is said of a record, which is that of many
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (i == 0 || answers[i].record != answers[i - 1].record)
            kept = ",\"context\":{\"record\":" + (answers[i].record ? std::to_string(*answers[i].record) : "null");
        text += i == 0 ? "{\"decision\":" : ",{\"decision\":";
        text += answers[i].allowed ? "true" : "false";
        text += kept;
        if (!answers[i].allowed) {
            text += ",\"reason\":\"no policy permits it\"";
            if (explained++ < explained_denials_max)
                text += ",\"missing\":" + writ::to_text(JsonValue(authority::to_json(explain_denial(batch, batch.items()[i]))));
        }
        text += "}}";
    }
    return text + "]}";
}

Reply evaluations(Desk desk, Call call)
{
    auto body = JsonDocument::parse_object(call.request.body);
    auto document = CO_TRY(body);
    auto const& request = document.object();
    // SPEC: §7.1: without `evaluations`, or with none in it, it is a single evaluation.
    auto const* const listed = request.if_contains("evaluations");
    if (listed == nullptr || (listed->is_array() && listed->as_array().empty()))
        co_return co_await evaluate_one(desk, call, std::move(document));
    auto asked = parse_semantic(request);
    auto const semantic = CO_TRY(asked);
    auto parsed = parse_batch(desk, call, request);
    auto const batch = CO_TRY(parsed);
    auto decided = co_await decide_and_record(desk.state, batch, semantic);
    auto const answers = CO_TRY(decided);
    auto response = json_response(JsonObject());
    response.body = batch_text(batch, answers);
    co_return response;
}

} // namespace

void add_evaluation_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/access/v1/evaluation", Access::workload, evaluation);
    add_route(router, desk, "POST", "/access/v1/evaluations", Access::workload, evaluations);
}

} // namespace writ::authority
