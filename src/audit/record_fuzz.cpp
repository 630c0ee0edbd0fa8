// SPDX-License-Identifier: Apache-2.0
//
// Records: what reads is written, and the same when read again; any text whatever can be recorded.
#include "audit/record.h"
#include "audit/record_items.h"

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    auto const text = as_text({ bytes, size });
    if (auto const record = audit::parse_record(text); record.is_ok()) {
        auto const written = audit::to_json_text(*record);
        ASSERT(written.size() <= limits::record_bytes_max);
        ASSERT(audit::to_json_text(audit::parse_record(written).value()) == written || written.size() > limits::record_bytes_max / 2);
    }
    if (auto const items = audit::parse_items(text); items.is_ok()) {
        audit::ItemWriter writer;
        for (auto const& item : *items) {
            std::vector<std::string_view> const policies(item.policies.begin(), item.policies.end());
            writer.add(audit::RecordedEntity { item.type, item.id, item.version, item.digest, item.alias }, { item.type, item.allowed, policies, {}, !item.asserted.empty() });
        }
        ASSERT(audit::parse_items(writer.take()).value().size() == items->size());
    }
    audit::Record strange;
    strange.reason = strange.workload = strange.trace = std::string(text);
    strange.claims.push_back({ .name = std::string(text), .values = { std::string(text), std::string(text) }, .provider = "" });
    strange.policies.assign(size % 1024, std::string(text.substr(0, size % 64)));
    auto const written = audit::to_json_text(strange);
    ASSERT(written.size() <= limits::record_bytes_max && audit::parse_record(written).is_ok());
    return 0;
}
