// SPDX-License-Identifier: Apache-2.0
#include "audit/index_terms.h"

#include "crypto/digest.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace writ::audit {

namespace {

__extension__ using Wide = unsigned __int128;

// A multiplication folds 16 bytes into 8: no protection against whoever looks for two texts of one term, who could only make answers take longer.
std::uint64_t fold(std::uint64_t left, std::uint64_t right)
{
    auto const product = static_cast<Wide>(left) * right;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64U);
}

constexpr std::uint64_t first_odd = 0x9e3779b97f4a7c15U, second_odd = 0xd6e8feb86659fd93U;

std::uint64_t hash_on(std::uint64_t hash, std::string_view text)
{
    hash = fold(hash ^ text.size(), first_odd);
    for (; text.size() >= 8; text.remove_prefix(8)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data(), 8);
        hash = fold(hash ^ word, second_odd);
    }
    std::uint64_t rest = 0;
    if (!text.empty()) // an empty view may have no data at all
        std::memcpy(&rest, text.data(), text.size());
    return fold(hash ^ rest, first_odd);
}

// Calls back with each text under which an entity is known.
template <typename Visit> void visit_names(ScannedEntity const& entity, EntityName const& named, Visit const& visit)
{
    visit(entity.id);
    if (named.name != entity.id)
        visit(named.name);
    auto const is_version_in_id = named.name.size() + named.version.size() + 1 == entity.id.size();
    if (!named.version.empty() && !is_version_in_id)
        visit(std::string(named.name) + "@" + std::string(named.version));
}

void add_resource(ScannedEntity const& entity, std::vector<Term>& terms)
{
    auto const named = name_of(entity);
    visit_names(entity, named, [&](std::string_view text) {
        terms.push_back(term_of(TermKind::resource, text));
        terms.push_back(term_of(TermKind::resource, text, entity.type));
        if (named.type != entity.type)
            terms.push_back(term_of(TermKind::resource, text, named.type));
    });
}

using Actions = std::array<std::string_view, 5>;
constexpr Actions making { "train", "write", "sign", "promote", "deploy" };
constexpr Actions loading { "load", "read", "evaluate" };
constexpr Actions calling { "infer", "call", "connect" };

bool is_one_of(std::string_view action, Actions const& actions)
{
    return !action.empty() && std::find(actions.begin(), actions.end(), action) != actions.end();
}

bool is_service(std::string_view type) { return type == "Endpoint" || type == "Api"; }

void add_edge(ScannedEntity const& model, ModelEdge edge, std::vector<Term>& terms)
{
    if (edge != ModelEdge::none)
        visit_names(model, name_of(model), [&](std::string_view text) { terms.push_back(edge_term(edge, text)); });
}

void add_used(ScannedEntity const& entity, std::vector<Term>& terms)
{
    auto const named = name_of(entity);
    visit_names(entity, named, [&](std::string_view text) {
        terms.push_back(term_of(TermKind::use, text));
        terms.push_back(term_of(TermKind::use, text, named.type));
    });
}

} // namespace

Term term_of(TermKind kind, std::string_view text, std::string_view qualifier)
{
    auto const hash = hash_on(hash_on(static_cast<std::uint64_t>(kind) + 1, qualifier), text);
    return hash >> static_cast<unsigned>(64 - term_bits);
}

EntityName name_of(ScannedEntity const& entity)
{
    constexpr std::string_view suffix = "Version";
    EntityName named { entity.type, entity.id, entity.version };
    bool const is_version = named.type.size() > suffix.size() && named.type.ends_with(suffix);
    if (is_version)
        named.type.remove_suffix(suffix.size());
    if (auto const at = named.name.rfind('@'); is_version && named.version.empty() && at != std::string_view::npos)
        named.version = named.name.substr(at + 1);
    auto const tail = named.version.size() + 1;
    if (!named.version.empty() && named.name.size() > tail && named.name.ends_with(named.version)
        && named.name[named.name.size() - tail] == '@')
        named.name.remove_suffix(tail);
    return named;
}

ModelEdge edge_of_resource(std::string_view action)
{
    if (is_one_of(action, making))
        return ModelEdge::made;
    return is_one_of(action, loading) ? ModelEdge::loaded : ModelEdge::none;
}

bool is_call(std::string_view resource_type, std::string_view action) { return is_service(resource_type) && is_one_of(action, calling); }

ModelEdge edge_in_play(std::string_view resource_type, std::string_view action)
{
    if (is_call(resource_type, action))
        return ModelEdge::called;
    // What is trained on data is made of it.
    return action == "train" ? ModelEdge::made : ModelEdge::none;
}

Term edge_term(ModelEdge edge, std::string_view model)
{
    return term_of(TermKind::use, model, edge == ModelEdge::made ? "made" : edge == ModelEdge::loaded ? "loaded" : "called");
}

Term unnamed_call_term(std::string_view endpoint) { return term_of(TermKind::use, endpoint, "called without a model"); }

void add_terms(ScannedRecord const& record, std::vector<Term>& terms)
{
    terms.push_back(term_of(TermKind::record, ""));
    terms.push_back(term_of(TermKind::type, to_string(record.type)));
    for (auto const& [kind, text] : { std::pair(TermKind::decision, record.decision), std::pair(TermKind::workload, record.workload),
             std::pair(TermKind::workload, record.workload_name), std::pair(TermKind::run, record.run),
             std::pair(TermKind::purpose, record.purpose), std::pair(TermKind::trace, record.trace),
             std::pair(TermKind::request, record.request), std::pair(TermKind::lease, record.lease) }) {
        if (!text.empty())
            terms.push_back(term_of(kind, text));
    }
    for (auto const& policy : record.policies)
        terms.push_back(term_of(TermKind::policy, policy));
    for (auto const& classification : record.classification)
        terms.push_back(term_of(TermKind::classification, classification));
    if (!record.resource.is_empty())
        add_resource(record.resource, terms);
    for (auto const& outcome : record.outcomes) {
        terms.push_back(term_of(TermKind::decision, outcome.decision));
        for (auto const& policy : outcome.policies)
            terms.push_back(term_of(TermKind::policy, policy));
    }
    for (auto const& item : record.items)
        add_resource(item.resource, terms);
    if (record.asserted.empty())
        terms.push_back(term_of(TermKind::attested, ""));
}

bool is_use(ScannedRecord const& record)
{
    if (record.resource.is_empty())
        return false;
    return record.type == RecordType::issuance || (record.type == RecordType::decision && record.decision == "allow");
}

std::uint64_t use_hash(ScannedRecord const& record)
{
    thread_local std::string written; // each text behind its length
    written.clear();
    auto const add_number = [](std::size_t number) {
        auto const bytes = static_cast<std::uint32_t>(number);
        written.append(reinterpret_cast<char const*>(&bytes), sizeof bytes);
    };
    auto const add = [&add_number](std::string_view text) {
        add_number(text.size());
        written.append(text);
    };
    auto const add_entity = [&add](ScannedEntity const& entity) {
        auto const named = name_of(entity); // however it is written
        for (auto const& text : { named.type, named.name, named.version })
            add(text);
    };
    for (auto const& text : { record.workload, record.workload_name, record.run, record.action, record.purpose, record.endpoint })
        add(text);
    add_entity(record.resource);
    add_entity(record.model);
    add_number(record.datasets.size());
    for (auto const& dataset : record.datasets)
        add_entity(dataset);
    if (!record.asserted.empty()) {
        add(record.caller);
        for (auto const& member : record.asserted)
            add(member);
    }
    auto const digest = crypto::sha256(as_bytes(written));
    std::uint64_t hash = 0;
    std::memcpy(&hash, digest.data(), sizeof hash);
    return hash;
}

void add_use_terms(ScannedRecord const& record, std::vector<Term>& terms)
{
    add_used(record.resource, terms);
    if (name_of(record.resource).type == "Model")
        add_edge(record.resource, edge_of_resource(record.action), terms);
    if (!record.model.is_empty()) {
        add_used(record.model, terms);
        add_edge(record.model, edge_in_play(record.resource.type, record.action), terms);
    } else if (is_call(record.resource.type, record.action)) {
        terms.push_back(unnamed_call_term(record.resource.id));
    }
    for (auto const& dataset : record.datasets)
        add_used(dataset, terms);
    if (!record.endpoint.empty())
        add_used({ "Endpoint", record.endpoint, "" }, terms);
    if (!record.run.empty())
        terms.push_back(term_of(TermKind::use, record.run, "run"));
    for (auto const& workload : { record.workload, record.workload_name }) {
        if (!workload.empty())
            terms.push_back(term_of(TermKind::use, workload, "workload"));
    }
}

} // namespace writ::audit
