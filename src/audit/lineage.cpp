// SPDX-License-Identifier: Apache-2.0
#include "audit/lineage.h"

#include <algorithm>

namespace writ::audit {

namespace {

// LIMIT: uses looked at for one node of the graph, and for a whole answer; each is a record that is read.
constexpr std::size_t node_uses_max = 300;
constexpr std::size_t trace_uses_max = 1500;

// Of what a run uses, what goes into what it makes.
bool is_taken(std::string_view action)
{
    return action == "read" || action == "train" || action == "evaluate" || action == "connect" || action == "load";
}

// That the workload did it with what these members of the record say.
EdgeGround ground_of(Record const& record, Asserted members)
{
    bool const is_attested = (asserted_of(record.asserted) & (members | asserted_workload)) == 0;
    return { .is_attested = is_attested, .caller = is_attested ? "" : record.caller };
}

bool is_model(std::optional<RecordedEntity> const& entity, std::string_view model) { return entity && is_named(*entity, "Model", model); }

// One answer's walk, with what is left of its limit.
class Walk {
public:
    Walk(Questions& questions, bool attested_alone)
        : questions_(questions)
        , attested_alone_(attested_alone)
    {
    }

    Result<ModelTrace> trace(std::string const& model);

private:
    using Found = std::vector<std::pair<IndexedUse, StoredRecord>>;
    Result<Found> edges(ModelEdge, std::string const& model);
    Result<Found> uses(Term term, std::function<bool(Record const&)> const& is_meant, std::function<bool(Record const&)> const& is_attested);
    LineageModel& version_of(Record const&, std::string_view model);
    static void add_maker(LineageModel&, StoredRecord const&, EdgeGround const&);
    static LineageEndpoint& endpoint_of(LineageModel&, std::string const& name);
    void add_load(LineageModel&, StoredRecord const&) const;
    Result<> add_data(LineageRun&, LineageModel const&);
    static void add_caller(LineageEndpoint&, IndexedUse const&, StoredRecord const&, EdgeGround const&);
    Result<> add_unnamed_callers(LineageEndpoint&);

    Questions& questions_;
    bool attested_alone_;
    std::size_t left_ = trace_uses_max;
    ModelTrace trace_;
};

Result<Walk::Found> Walk::uses(
    Term term, std::function<bool(Record const&)> const& is_meant, std::function<bool(Record const&)> const& is_attested)
{
    auto found = TRY(questions_.find_uses(term, { is_meant, is_attested, attested_alone_ }, std::min(left_, node_uses_max)));
    left_ -= found.uses.size();
    trace_.is_cut = trace_.is_cut || found.is_cut;
    return std::move(found.uses);
}

LineageModel& Walk::version_of(Record const& record, std::string_view model)
{
    auto const& entity = is_model(record.resource, model) ? *record.resource : *record.model;
    auto const named = name_of({ entity.type, entity.id, entity.version });
    for (auto& known : trace_.models) {
        if (known.version == named.version) {
            if (known.digest.empty())
                known.digest = entity.digest;
            return known;
        }
    }
    return trace_.models.emplace_back(
        LineageModel { .name = std::string(named.name), .version = std::string(named.version), .digest = entity.digest, .runs = {}, .endpoints = {} });
}

void Walk::add_maker(LineageModel& model, StoredRecord const& stored, EdgeGround const& ground)
{
    auto const& record = stored.record;
    auto known = std::find_if(model.runs.begin(), model.runs.end(),
        [&](LineageRun const& run) { return run.run == record.run && run.workload == record.workload && run.ground == ground; });
    if (known == model.runs.end())
        known = model.runs.insert(model.runs.end(),
            { .run = record.run,
                .workload = record.workload,
                .workload_name = record.workload_name,
                .pipeline = record.pipeline,
                .purpose = record.purpose,
                .actions = {},
                .record = stored.sequence,
                .data = {},
                .ground = ground });
    if (std::find(known->actions.begin(), known->actions.end(), record.action) == known->actions.end())
        known->actions.push_back(record.action);
}

LineageEndpoint& Walk::endpoint_of(LineageModel& model, std::string const& name)
{
    for (auto& known : model.endpoints) {
        if (known.name == name)
            return known;
    }
    return model.endpoints.emplace_back(LineageEndpoint { .name = name, .loaded_by = {}, .record = 0, .callers = {} });
}

void Walk::add_load(LineageModel& model, StoredRecord const& stored) const
{
    auto const& record = stored.record;
    bool const is_told = !record.endpoint.empty() && !(attested_alone_ && !ground_of(record, asserted_endpoint).is_attested);
    auto const& name = is_told ? record.endpoint : record.workload_name.empty() ? record.workload : record.workload_name;
    auto const ground = ground_of(record, static_cast<Asserted>(asserted_resource | (is_told ? asserted_endpoint : 0)));
    auto& endpoint = endpoint_of(model, name);
    // The newest; but not what is asserted in place of what is attested.
    if (!endpoint.loaded_by.empty() && (endpoint.ground.is_attested || !ground.is_attested))
        return;
    endpoint.loaded_by = record.workload;
    endpoint.record = stored.sequence;
    endpoint.ground = ground;
}

Result<> Walk::add_data(LineageRun& run, LineageModel const& model)
{
    auto const term = run.run.empty() ? term_of(TermKind::use, run.workload, "workload") : term_of(TermKind::use, run.run, "run");
    auto const found = TRY(uses(term, [&run](Record const& record) { return record.run == run.run && record.workload == run.workload; },
        [](Record const& record) { return ground_of(record, 0).is_attested; }));
    auto const add = [&](RecordedEntity const& entity, StoredRecord const& stored, Asserted member) {
        auto const& action = stored.record.action;
        auto ground = ground_of(stored.record, member);
        auto const is_known = std::any_of(run.data.begin(), run.data.end(),
            [&](LineageData const& data) { return data.resource == entity && data.action == action && data.ground == ground; });
        if (!is_known && (ground.is_attested || !attested_alone_))
            run.data.push_back({ .resource = entity, .action = action, .record = stored.sequence, .ground = std::move(ground) });
    };
    for (auto const& [use, stored] : found) {
        auto const& record = stored.record;
        bool const is_itself = is_named(*record.resource, "Model", model.name);
        bool const is_service = record.resource->type == "Endpoint" || record.resource->type == "Api";
        if (is_taken(record.action) && !is_itself && !is_service)
            add(*record.resource, stored, asserted_resource);
        for (auto const& dataset : record.datasets)
            add(dataset, stored, asserted_datasets);
    }
    return {};
}

void Walk::add_caller(LineageEndpoint& endpoint, IndexedUse const& use, StoredRecord const& stored, EdgeGround const& ground)
{
    auto const& record = stored.record;
    auto known = std::find_if(endpoint.callers.begin(), endpoint.callers.end(), [&](LineageCaller const& caller) {
        return caller.workload == record.workload && caller.purpose == record.purpose && caller.ground == ground;
    });
    if (known == endpoint.callers.end())
        known = endpoint.callers.insert(endpoint.callers.end(),
            { .workload = record.workload,
                .workload_name = record.workload_name,
                .purpose = record.purpose,
                .calls = 0,
                .record = stored.sequence,
                .ground = ground });
    known->calls += std::max(use.decisions, use.issuances);
}

// Who called an endpoint without saying which model, which may have been any that it had loaded.
Result<> Walk::add_unnamed_callers(LineageEndpoint& endpoint)
{
    auto const is_meant = [&endpoint](Record const& record) {
        return !record.model && record.resource && record.resource->id == endpoint.name && is_call(record.resource->type, record.action);
    };
    for (auto const& [use, stored] : TRY(uses(unnamed_call_term(endpoint.name), is_meant, is_attested)))
        add_caller(endpoint, use, stored, ground_of(stored.record, asserted_resource));
    return {};
}

// By the resource, or by the model in play beside it.
Asserted member_with(Record const& record, std::string_view model) { return is_model(record.resource, model) ? asserted_resource : asserted_model; }

Result<Walk::Found> Walk::edges(ModelEdge edge, std::string const& model)
{
    return uses(edge_term(edge, model), [&model, edge](Record const& record) { return edge_of(record, model) == edge; },
        [&model](Record const& record) { return ground_of(record, member_with(record, model)).is_attested; });
}

Result<ModelTrace> Walk::trace(std::string const& model)
{
    for (auto const& [use, stored] : TRY(edges(ModelEdge::made, model)))
        add_maker(version_of(stored.record, model), stored, ground_of(stored.record, member_with(stored.record, model)));
    for (auto const& [use, stored] : TRY(edges(ModelEdge::loaded, model)))
        add_load(version_of(stored.record, model), stored);
    for (auto const& [use, stored] : TRY(edges(ModelEdge::called, model))) {
        auto& endpoint = endpoint_of(version_of(stored.record, model), stored.record.resource->id);
        auto const ground = ground_of(stored.record, asserted_model | asserted_resource);
        if (endpoint.record == 0) {
            endpoint.record = stored.sequence;
            endpoint.ground = ground;
        }
        add_caller(endpoint, use, stored, ground);
    }
    for (auto& version : trace_.models) {
        for (auto& run : version.runs)
            TRY(add_data(run, version));
        for (auto& endpoint : version.endpoints)
            TRY(add_unnamed_callers(endpoint));
    }
    std::sort(trace_.models.begin(), trace_.models.end(), [](auto const& left, auto const& right) { return left.version < right.version; });
    return std::move(trace_);
}

} // namespace

ModelEdge edge_of(Record const& record, std::string_view model)
{
    if (!record.resource)
        return ModelEdge::none;
    if (is_model(record.resource, model))
        return edge_of_resource(record.action);
    return is_model(record.model, model) ? edge_in_play(record.resource->type, record.action) : ModelEdge::none;
}

Result<ModelTrace> trace_model(Questions& questions, std::string const& model, bool attested_alone)
{
    return Walk(questions, attested_alone).trace(model);
}

} // namespace writ::audit
