// SPDX-License-Identifier: Apache-2.0
//
// The scanner takes every record that the parser takes, and says the same of it. Nothing makes it read beyond the text.
#include "audit/index_signature.h"

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    std::string const text(as_text({ bytes, size }));
    audit::RecordScanner scanner;
    audit::ScannedRecord scanned;
    bool const is_taken = scanner.scan(text, scanned);
    if (auto const record = audit::parse_record(text); record.is_ok()) {
        ASSERT(is_taken);
        ASSERT(scanned.type == record->type && scanned.time == record->time);
        ASSERT(scanned.run == record->run && scanned.workload == record->workload && scanned.trace == record->trace);
        ASSERT(scanned.purpose == record->purpose && scanned.action == record->action && scanned.endpoint == record->endpoint);
        ASSERT(scanned.policies.size() == record->policies.size() && scanned.datasets.size() == record->datasets.size());
        ASSERT(!record->resource || (scanned.resource.id == record->resource->id && scanned.resource.version == record->resource->version));
        ASSERT(!record->credential || scanned.lease == record->credential->lease);
        ASSERT(!record->allowed || scanned.decision == (*record->allowed ? "allow" : "deny"));
    }
    audit::Bitmap places;
    if (is_taken) {
        audit::SegmentBuilder builder(0);
        builder.add(&scanned);
        (void)builder.seal();
    }
    // And the bytes as pages of an index.
    (void)audit::find_in_page({ bytes, size }, size, places).is_ok();
    (void)audit::group_in_page({ bytes, size }, static_cast<std::uint32_t>(size)).is_ok();
    (void)audit::head_in_page({ bytes, size }).is_ok();
    (void)audit::keys_in_page({ bytes, size }).is_ok();
    (void)audit::segments_with({ bytes, size }, size).is_ok();
    return 0;
}
