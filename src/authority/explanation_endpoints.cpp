// SPDX-License-Identifier: Apache-2.0
//
// A recorded decision made again with the declarations that were in force.
#include "authority/declared.h"
#include "authority/endpoints.h"
#include "replay/explanation.h"

#include <charconv>

namespace writ::authority {

namespace {

// LIMIT: administration records of one page; as many pages as there are.
constexpr std::size_t page_records = 1000;

using Records = Result<std::vector<audit::StoredRecord>>;

Result<std::uint64_t> parse_sequence(std::string const& text)
{
    std::uint64_t sequence = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), sequence);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return invalid_argument("a record is named by its sequence number");
    return sequence;
}

net::Task<Records> query(AuthorityState& state, audit::RecordFilter filter)
{
    auto* const log = state.audit.get();
    co_return co_await net::await_callback<Records>([log, &filter](net::Completion<Records> done) { log->query(filter, std::move(done)); });
}

// The last one before the record: one that was on record and then could not be stored has its number taken again.
net::Task<Result<std::optional<replay::VersionRecord>>> find_version_record(
    AuthorityState& state, std::uint64_t version, std::uint64_t before)
{
    audit::RecordFilter filter { .type = audit::RecordType::administration, .before = before, .limit = page_records };
    for (;;) {
        auto found = co_await query(state, filter);
        auto const page = CO_TRY(found);
        for (auto const& stored : page)
            if (auto const record = replay::version_record_of(stored.sequence, stored.record, version))
                co_return std::optional(*record);
        if (page.size() < page_records)
            co_return std::optional<replay::VersionRecord>();
        filter.before = page.back().sequence;
    }
}

Reply explain_record(Desk desk, Call call)
{
    auto parsed = parse_sequence(call.captured.at("sequence"));
    auto const sequence = CO_TRY(parsed);
    auto read = desk.state.audit->log().read(sequence);
    auto const text = CO_TRY(read);
    auto parsed_record = audit::parse_record(as_text(text));
    auto const record = CO_TRY(parsed_record);
    auto stored = record.policy_version == 0 ? Result<store::DeclarationStore::Version>(store::DeclarationStore::Version {})
                                             : desk.state.store.declarations->version(record.policy_version);
    auto const version = CO_TRY(stored);
    auto compiled = declared_of(version.number, version.text);
    auto const declared = CO_TRY(compiled);
    auto found = co_await find_version_record(desk.state, version.number, sequence);
    auto const version_record = CO_TRY(found);
    auto explained = replay::explain(as_text(text), declared, version_record);
    auto object = replay::to_json(CO_TRY(explained));
    object.emplace("sequence", sequence);
    co_return json_response(object);
}

} // namespace

void add_explanation_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/audit/records/{sequence}/explanation", Access::administrator, explain_record);
}

} // namespace writ::authority
