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

bool is_model(std::optional<RecordedEntity> const& entity, std::string_view model) { return entity && is_named(*entity, "Model", model); }

// One answer's walk, with what is left of its limit.
class Walk {
public:
    explicit Walk(Questions& questions)
        : questions_(questions)
    {
    }

    Result<ModelTrace> trace(std::string const& model);

private:
    using Found = std::vector<std::pair<IndexedUse, StoredRecord>>;
    Result<Found> edges(ModelEdge, std::string const& model);
    Result<Found> uses(Term term, std::function<bool(Record const&)> const& is_meant);
    LineageModel& version_of(Record const&, std::string_view model);
    static void add_maker(LineageModel&, StoredRecord const&);
    static LineageEndpoint& endpoint_of(LineageModel&, std::string const& name);
    static void add_load(LineageModel&, StoredRecord const&);
    Result<> add_data(LineageRun&, LineageModel const&);
    static void add_caller(LineageEndpoint&, IndexedUse const&, StoredRecord const&);
    Result<> add_unnamed_callers(LineageEndpoint&);

    Questions& questions_;
    std::size_t left_ = trace_uses_max;
    ModelTrace trace_;
};

Result<Walk::Found> Walk::uses(Term term, std::function<bool(Record const&)> const& is_meant)
{
    auto found = TRY(questions_.find_uses(term, is_meant, std::min(left_, node_uses_max)));
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

void Walk::add_maker(LineageModel& model, StoredRecord const& stored)
{
    auto const& record = stored.record;
    auto known = std::find_if(model.runs.begin(), model.runs.end(),
        [&](LineageRun const& run) { return run.run == record.run && run.workload == record.workload; });
    if (known == model.runs.end())
        known = model.runs.insert(model.runs.end(),
            { .run = record.run,
                .workload = record.workload,
                .workload_name = record.workload_name,
                .pipeline = record.pipeline,
                .purpose = record.purpose,
                .actions = {},
                .record = stored.sequence,
                .data = {} });
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

void Walk::add_load(LineageModel& model, StoredRecord const& stored)
{
    auto const& record = stored.record;
    auto const& name = !record.endpoint.empty() ? record.endpoint : record.workload_name.empty() ? record.workload : record.workload_name;
    auto& endpoint = endpoint_of(model, name);
    if (!endpoint.loaded_by.empty())
        return;
    endpoint.loaded_by = record.workload;
    endpoint.record = stored.sequence;
}

Result<> Walk::add_data(LineageRun& run, LineageModel const& model)
{
    auto const term = run.run.empty() ? term_of(TermKind::use, run.workload, "workload") : term_of(TermKind::use, run.run, "run");
    auto const found = TRY(uses(term, [&run](Record const& record) { return record.run == run.run && record.workload == run.workload; }));
    auto const add = [&](RecordedEntity const& entity, std::string const& action, std::uint64_t sequence) {
        auto const is_known = std::any_of(run.data.begin(), run.data.end(),
            [&](LineageData const& data) { return data.resource == entity && data.action == action; });
        if (!is_known)
            run.data.push_back({ .resource = entity, .action = action, .record = sequence });
    };
    for (auto const& [use, stored] : found) {
        auto const& record = stored.record;
        bool const is_itself = is_named(*record.resource, "Model", model.name);
        bool const is_service = record.resource->type == "Endpoint" || record.resource->type == "Api";
        if (is_taken(record.action) && !is_itself && !is_service)
            add(*record.resource, record.action, stored.sequence);
        for (auto const& dataset : record.datasets)
            add(dataset, record.action, stored.sequence);
    }
    return {};
}

void Walk::add_caller(LineageEndpoint& endpoint, IndexedUse const& use, StoredRecord const& stored)
{
    auto const& record = stored.record;
    auto known = std::find_if(endpoint.callers.begin(), endpoint.callers.end(),
        [&](LineageCaller const& caller) { return caller.workload == record.workload && caller.purpose == record.purpose; });
    if (known == endpoint.callers.end())
        known = endpoint.callers.insert(endpoint.callers.end(),
            { .workload = record.workload,
                .workload_name = record.workload_name,
                .purpose = record.purpose,
                .calls = 0,
                .record = stored.sequence });
    known->calls += std::max(use.decisions, use.issuances);
}

// Who called an endpoint without saying which model, which may have been any that it had loaded.
Result<> Walk::add_unnamed_callers(LineageEndpoint& endpoint)
{
    auto const is_meant = [&endpoint](Record const& record) {
        return !record.model && record.resource && record.resource->id == endpoint.name && is_call(record.resource->type, record.action);
    };
    for (auto const& [use, stored] : TRY(uses(unnamed_call_term(endpoint.name), is_meant)))
        add_caller(endpoint, use, stored);
    return {};
}

Result<Walk::Found> Walk::edges(ModelEdge edge, std::string const& model)
{
    return uses(edge_term(edge, model), [&model, edge](Record const& record) { return edge_of(record, model) == edge; });
}

Result<ModelTrace> Walk::trace(std::string const& model)
{
    for (auto const& [use, stored] : TRY(edges(ModelEdge::made, model)))
        add_maker(version_of(stored.record, model), stored);
    for (auto const& [use, stored] : TRY(edges(ModelEdge::loaded, model)))
        add_load(version_of(stored.record, model), stored);
    for (auto const& [use, stored] : TRY(edges(ModelEdge::called, model))) {
        auto& endpoint = endpoint_of(version_of(stored.record, model), stored.record.resource->id);
        endpoint.record = endpoint.record == 0 ? stored.sequence : endpoint.record;
        add_caller(endpoint, use, stored);
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

Result<ModelTrace> trace_model(Questions& questions, std::string const& model) { return Walk(questions).trace(model); }

} // namespace writ::audit
