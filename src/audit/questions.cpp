// SPDX-License-Identifier: Apache-2.0
#include "audit/questions.h"

#include "audit/lineage.h"
#include "audit/record_items.h"

#include "tlog/note.h"

#include <algorithm>
#include <set>

namespace writ::audit {

namespace {

ScannedEntity scanned(RecordedEntity const& entity) { return { entity.type, entity.id, entity.version }; }

// As the scanner has it of the same record, as far as a use goes.
ScannedRecord scanned(Record const& record)
{
    ScannedRecord one;
    one.workload = record.workload;
    one.workload_name = record.workload_name;
    one.run = record.run;
    one.action = record.action;
    one.purpose = record.purpose;
    one.endpoint = record.endpoint;
    one.caller = record.caller;
    one.asserted.assign(record.asserted.begin(), record.asserted.end());
    if (record.resource)
        one.resource = scanned(*record.resource);
    if (record.model)
        one.model = scanned(*record.model);
    for (auto const& dataset : record.datasets)
        one.datasets.push_back(scanned(dataset));
    return one;
}

std::string_view without_version(std::string_view type)
{
    constexpr std::string_view suffix = "Version";
    return type.size() > suffix.size() && type.ends_with(suffix) ? type.substr(0, type.size() - suffix.size()) : type;
}

bool is_of_workload(Record const& record, std::string_view workload)
{
    return record.workload == workload || record.workload_name == workload;
}

bool contains(std::vector<std::string> const& texts, std::string const& text)
{
    return std::find(texts.begin(), texts.end(), text) != texts.end();
}

bool is_resource(std::optional<RecordedEntity> const& resource, std::string_view asked)
{
    if (!resource)
        return false;
    auto const colons = asked.find("::");
    if (is_named(*resource, "", asked))
        return true;
    if (colons == std::string_view::npos)
        return false;
    auto const type = asked.substr(0, colons), name = asked.substr(colons + 2);
    return is_named(*resource, type, name) || (type == without_version(resource->type) && is_named(*resource, "", name));
}

bool is_within(Timestamp time, std::optional<Timestamp> since, std::optional<Timestamp> until)
{
    return !(since && time < *since) && !(until && time > *until);
}

// The terms of a filter, the rarest first: where there is none, the others are not looked for.
std::vector<Term> terms_of(RecordFilter const& filter)
{
    std::vector<Term> terms;
    for (auto const& [kind, text] : { std::pair(TermKind::trace, filter.trace), std::pair(TermKind::request, filter.request),
             std::pair(TermKind::run, filter.run), std::pair(TermKind::policy, filter.policy), std::pair(TermKind::workload, filter.workload),
             std::pair(TermKind::purpose, filter.purpose), std::pair(TermKind::classification, filter.classification) }) {
        if (!text.empty())
            terms.push_back(term_of(kind, text));
    }
    if (auto const colons = filter.resource.find("::"); colons != std::string::npos)
        terms.push_back(term_of(TermKind::resource, filter.resource.substr(colons + 2), filter.resource.substr(0, colons)));
    else if (!filter.resource.empty())
        terms.push_back(term_of(TermKind::resource, filter.resource));
    if (filter.type)
        terms.push_back(term_of(TermKind::type, to_string(*filter.type)));
    if (filter.allowed)
        terms.push_back(term_of(TermKind::decision, *filter.allowed ? "allow" : "deny"));
    if (filter.attested)
        terms.push_back(term_of(TermKind::attested, ""));
    return terms;
}

} // namespace

bool is_named(RecordedEntity const& entity, std::string_view type, std::string_view name)
{
    auto const named = name_of(scanned(entity));
    if (!type.empty() && type != entity.type && type != named.type)
        return false;
    if (name == entity.id || name == named.name)
        return true;
    auto const tail = named.version.size() + 1;
    return !named.version.empty() && name.size() == named.name.size() + tail && name.starts_with(named.name) && name.ends_with(named.version)
        && name[named.name.size()] == '@';
}

namespace {

// The members of a record by which it uses a thing.
Asserted members_that_use(Record const& record, std::string_view type, std::string_view name)
{
    auto const is_it = [&](RecordedEntity const& entity) { return is_named(entity, type, name); };
    bool const is_endpoint = !record.endpoint.empty() && record.endpoint == name && (type.empty() || type == "Endpoint");
    Asserted members = record.resource && is_it(*record.resource) ? asserted_resource : Asserted(0);
    members |= record.model && is_it(*record.model) ? asserted_model : Asserted(0);
    members |= std::any_of(record.datasets.begin(), record.datasets.end(), is_it) ? asserted_datasets : Asserted(0);
    members |= is_endpoint ? asserted_endpoint : Asserted(0);
    return members;
}

} // namespace

bool uses_thing(Record const& record, std::string_view type, std::string_view name) { return members_that_use(record, type, name) != 0; }

bool is_attested(Record const& record) { return (asserted_of(record.asserted) & (asserted_workload | asserted_resource)) == 0; }

// One member that is not asserted is enough: nobody hides what is attested by saying it, or something else, once more.
bool is_attested_use(Record const& record, std::string_view type, std::string_view name)
{
    auto const asserted = asserted_of(record.asserted);
    return (asserted & asserted_workload) == 0 && (members_that_use(record, type, name) & ~asserted) != 0;
}

namespace {

bool matches_one(RecordFilter const& filter, Record const& record)
{
    auto const is_or_any = [](std::string const& asked, std::string const& text) { return asked.empty() || asked == text; };
    return (!filter.type || *filter.type == record.type) && (!filter.allowed || filter.allowed == record.allowed)
        && (filter.workload.empty() || is_of_workload(record, filter.workload)) && is_or_any(filter.run, record.run)
        && (filter.resource.empty() || is_resource(record.resource, filter.resource)) && is_or_any(filter.trace, record.trace)
        && is_or_any(filter.purpose, record.purpose) && (filter.policy.empty() || contains(record.policies, filter.policy))
        && (filter.classification.empty() || contains(record.classification, filter.classification))
        && is_or_any(filter.request, record.request) && !(filter.attested && !record.asserted.empty()) && is_within(record.time, filter.since, filter.until);
}

// The record of one decision that the hash is of; of a record of many, that one of them.
std::optional<Record> record_of_use(Record record, std::uint64_t hash)
{
    if (record.items.empty())
        return record;
    auto decisions = single_records(record);
    if (decisions.is_error())
        return std::nullopt;
    for (auto& one : *decisions) {
        if (use_hash(scanned(one)) == hash)
            return std::move(one);
    }
    return std::nullopt;
}

} // namespace

bool matches(RecordFilter const& filter, Record const& record)
{
    if (record.items.empty())
        return matches_one(filter, record);
    auto const decisions = single_records(record);
    return decisions.is_ok()
        && std::any_of(decisions->begin(), decisions->end(), [&filter](Record const& one) { return matches_one(filter, one); });
}

Result<StoredRecord> Questions::stored(std::uint64_t sequence) const
{
    auto text = to_text(TRY(records_.read(sequence)));
    auto record = TRY(parse_record(text).in("audit record " + std::to_string(sequence)));
    return StoredRecord { sequence, std::move(text), std::move(record) };
}

// Nothing: it is not kept any more, or the index took for a record what is none.
Result<std::optional<StoredRecord>> Questions::record_at(std::uint64_t sequence) const
{
    auto bytes = records_.read(sequence);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return std::optional<StoredRecord>();
    auto text = to_text(TRY(std::move(bytes)));
    auto record = parse_record(text);
    if (record.is_error())
        return std::optional<StoredRecord>();
    return std::optional(StoredRecord { sequence, std::move(text), std::move(record).value() });
}

// As record_at(), of the one decision that is meant.
Result<std::optional<StoredRecord>> Questions::record_of(IndexedUse const& use, std::uint64_t sequence) const
{
    auto record = TRY(record_at(sequence));
    if (!record)
        return record;
    auto one = record_of_use(std::move(record->record), use.hash);
    if (!one)
        return std::optional<StoredRecord>();
    record->record = std::move(*one);
    return record;
}

// The latest issuance says most; one that was dropped says nothing.
std::uint64_t Questions::told_by(IndexedUse const& use) const
{
    return use.issuance && *use.issuance >= first_kept() ? *use.issuance : use.last;
}

Result<std::vector<StoredRecord>> Questions::find(RecordFilter const& filter)
{
    auto const limit = std::min(filter.limit, records_max);
    std::vector<StoredRecord> found;
    if (limit == 0)
        return found;
    IndexQuery const query { .terms = terms_of(filter),
        .before = filter.before,
        .from = filter.from.value_or(0),
        .since = filter.since,
        .until = filter.until,
        .oldest_first = filter.from.has_value() };
    TRY(index_.find(query, [&](std::uint64_t sequence) -> Result<bool> {
        auto record = TRY(record_at(sequence));
        if (record && matches(filter, record->record))
            found.push_back(std::move(*record));
        return found.size() < limit;
    }));
    return found;
}

Result<std::optional<StoredRecord>> Questions::revocation_of(std::string const& lease, std::uint64_t issuance)
{
    std::optional<StoredRecord> found;
    IndexQuery const query { .terms = { term_of(TermKind::lease, lease), term_of(TermKind::type, to_string(RecordType::revocation)) },
        .before = {},
        .from = issuance,
        .since = {},
        .until = {},
        .oldest_first = true };
    TRY(index_.find(query, [&](std::uint64_t sequence) -> Result<bool> {
        auto record = TRY(record_at(sequence));
        if (record && record->record.credential && record->record.credential->lease == lease)
            found = std::move(*record);
        return !found;
    }));
    return found;
}

Result<> Questions::end_of(Use& use)
{
    if (use.credential.lease.empty()) {
        if (use.credential.expires && *use.credential.expires <= clock_.now()) {
            use.to = use.credential.expires;
            use.ended = "expired";
        }
        return {};
    }
    auto const revocation = TRY(revocation_of(use.credential.lease, use.issuance));
    if (!revocation)
        return {};
    auto const& ended = revocation->record;
    use.to = ended.time;
    use.ended = ended.reason;
    // A lease is prolonged while its run lives; the record of its end has the expiry it had then. If nobody was there to revoke it in
    // time, the system it is for ended it by itself.
    if (ended.credential && ended.credential->expires) {
        use.credential.expires = ended.credential->expires;
        use.to = std::min(ended.time, *ended.credential->expires);
    }
    return {};
}

Result<Use> Questions::use_of(IndexedUse const& indexed, Record const& record)
{
    Use use { record.workload, record.workload_name, record.pipeline, record.team, record.run, record.purpose, record.action, record.claims,
        record.policies, record.policy_version, record.credential.value_or(RecordedCredential {}), record.decision.value_or(indexed.last),
        indexed.issuance.value_or(0), record.time, std::nullopt, "", record.resource.value_or(RecordedEntity {}), record.model,
        record.datasets, record.endpoint, indexed.first, indexed.last, indexed.decisions, record.caller, record.asserted };
    if (indexed.issuance) {
        TRY(end_of(use));
        return use;
    }
    // Decided on and not issued for: it was used from one decision to the next, as far as anybody knows.
    if (auto const first = TRY(record_at(indexed.first)))
        use.from = first->record.time;
    use.to = record.time;
    return use;
}

// What is known to be asserted without reading it.
static bool is_left_out(UseTest const& test, IndexedUse const& use) { return test.attested_alone && (use.asserted & asserted_workload) != 0; }
static bool passes(UseTest const& test, Record const& record)
{
    return test.is_meant(record) && (!test.attested_alone || test.is_attested(record));
}

Result<Questions::FoundUses> Questions::find_uses(Term term, UseTest const& test, std::size_t limit)
{
    auto indexed = TRY(index_.uses(term));
    FoundUses found { .uses = {}, .is_cut = indexed.is_cut };
    for (auto const& use : indexed.uses) {
        if (is_left_out(test, use))
            continue;
        if (found.uses.size() == limit) {
            found.is_cut = true;
            break;
        }
        auto record = TRY(record_of(use, told_by(use)));
        if (record && passes(test, record->record))
            found.uses.emplace_back(use, std::move(*record));
    }
    return found;
}

Result<UsePage> Questions::page_of(Term term, UseTest const& test, UseQuery const& query)
{
    auto const indexed = TRY(index_.uses(term));
    auto const limit = std::clamp<std::size_t>(query.limit, 1, records_max);
    UsePage page { .uses = {}, .next = {}, .is_cut = indexed.is_cut };
    for (auto const& use : indexed.uses) {
        if (use.last >= query.before.value_or(UINT64_MAX) || is_left_out(test, use))
            continue;
        if (use.last < first_kept()) {
            ++page.dropped;
            continue;
        }
        if (page.uses.size() == limit) {
            page.next = page.uses.back().last;
            break;
        }
        auto const record = TRY(record_of(use, told_by(use)));
        if (!record || !passes(test, record->record) || !is_within(record->record.time, query.since, query.until))
            continue;
        page.uses.push_back(TRY(use_of(use, record->record)));
        page.uses.back().is_attested = test.is_attested(record->record);
    }
    return page;
}

Result<UsePage> Questions::who_used(std::string const& type, std::string const& id, UseQuery const& query)
{
    return page_of(term_of(TermKind::use, id, without_version(type)),
        { [&](Record const& record) { return uses_thing(record, type, id); }, [&](Record const& record) { return is_attested_use(record, type, id); },
            query.attested },
        query);
}

Result<UsePage> Questions::what_workload_used(std::string const& workload, UseQuery const& query)
{
    return page_of(term_of(TermKind::use, workload, "workload"),
        { [&](Record const& record) { return is_of_workload(record, workload); }, is_attested, query.attested }, query);
}

Result<UsePage> Questions::what_run_used(std::string const& run, UseQuery const& query)
{
    return page_of(
        term_of(TermKind::use, run, "run"), { [&](Record const& record) { return record.run == run; }, is_attested, query.attested }, query);
}

// What went into it is what the runs that made it used, themselves left out.
Result<ModelUses> Questions::what_model_used(std::string const& model, UseQuery const& query)
{
    ModelUses answer;
    answer.used_by = TRY(who_used("Model", model, query));
    UseTest const is_maker { [&](Record const& record) { return edge_of(record, model) == ModelEdge::made; },
        [&](Record const& record) { return is_attested_use(record, "Model", model); }, query.attested };
    auto const makers = TRY(find_uses(edge_term(ModelEdge::made, model), is_maker, records_max));
    answer.used.is_cut = makers.is_cut;
    std::set<std::string> runs;
    for (auto const& [use, stored] : makers.uses)
        runs.insert(stored.record.run);
    for (auto const& run : runs) {
        if (run.empty() || answer.used.uses.size() >= records_max)
            continue;
        auto page = TRY(what_run_used(run, query));
        answer.used.is_cut = answer.used.is_cut || page.is_cut || page.next;
        for (auto& use : page.uses) {
            if (!is_named(use.resource, "Model", model))
                answer.used.uses.push_back(std::move(use));
        }
    }
    return answer;
}

Result<std::uint64_t> Questions::count_denied(std::string const& name, std::optional<Timestamp> since)
{
    auto const denied = TRY(
        find({ .type = {}, .allowed = false, .workload = {}, .run = {}, .resource = name, .trace = {}, .limit = records_max, .since = since }));
    return denied.size();
}

// Newest first, until one is attested: nobody hides it behind what is only asserted.
Result<> Questions::find_last_uses(Absence& absence) const
{
    // LIMIT: records of one moment are not in the order of their times; nothing is this far out of it.
    constexpr auto disorder_max = std::chrono::hours(1);
    auto const indexed = TRY(index_.uses(term_of(TermKind::use, absence.name)));
    for (auto const& use : indexed.uses) {
        if (absence.asserted == records_max && (use.asserted & asserted_workload) != 0)
            continue; // they are enough
        auto record = TRY(record_of(use, use.last));
        if (!record || !uses_thing(record->record, "", absence.name))
            continue;
        if (!is_within(record->record.time, absence.since, std::nullopt)) {
            if (record->record.time < *absence.since - disorder_max)
                return {};
            continue;
        }
        if (is_attested_use(record->record, "", absence.name)) {
            absence.last_use = std::move(*record);
            return {};
        }
        absence.asserted = std::min<std::uint64_t>(absence.asserted + 1, records_max);
        if (!absence.last_asserted)
            absence.last_asserted = std::move(*record);
    }
    return {};
}

Result<Absence> Questions::never(std::string const& name, std::optional<Timestamp> since, bool attested_alone)
{
    Absence absence { .name = name, .since = since, .attested_alone = attested_alone, .last_use = {}, .checkpoint = TRY(records_.checkpoint()) };
    auto const checkpoint = TRY(tlog::parse_checkpoint_without_verifying(absence.checkpoint));
    absence.size = checkpoint.size;
    absence.root = to_base64(checkpoint.root);
    TRY(find_last_uses(absence));
    absence.denied = TRY(count_denied(name, since));
    auto const first = first_kept() > 0 ? TRY(record_at(first_kept())) : std::nullopt;
    if (first && !(since && *since >= first->record.time))
        absence.proven_since = first->record.time;
    return absence;
}

} // namespace writ::audit
