// SPDX-License-Identifier: Apache-2.0
//
// The few members of a record that the index knows, taken out of its text in one pass without making a record of it. Takes whatever
// parse_record() takes, and says the same of it; of other texts it may take some: who reads a record after all parses it. Not thread-safe.
#pragma once

#include "audit/record.h"

#include <deque>
#include <string_view>

namespace writ::audit {

struct ScannedEntity {
    std::string_view type, id, version;
    [[nodiscard]] bool is_empty() const { return type.empty() && id.empty(); }
};

// What several decisions of a record have in common.
struct ScannedOutcome {
    std::string_view type, decision; // type of the resource
    std::vector<std::string_view> policies, asserted;
};

// One of the decisions of a record that has many.
struct ScannedItem {
    ScannedEntity resource;
    std::uint32_t outcome = 0; // of the record's outcomes
};

// Views into the text that was scanned, or into the scanner: until the next scan.
struct ScannedRecord {
    RecordType type = RecordType::decision;
    Timestamp time;
    std::string_view trace, request, caller, workload, workload_name, run, purpose, action, endpoint, decision, lease;
    ScannedEntity resource, model;
    std::vector<ScannedEntity> datasets;
    std::vector<std::string_view> policies, classification, asserted;
    std::vector<ScannedOutcome> outcomes;
    std::vector<ScannedItem> items; // LIMIT: items_max (record_items.h); what is beyond is not looked at

    void clear();
};

class RecordScanner {
public:
    // Whether the text is a record.
    bool scan(std::string_view text, ScannedRecord&);

private:
    bool scan_member(std::string_view name, ScannedRecord&);
    bool scan_type(ScannedRecord&);
    bool scan_time(Timestamp&);
    bool scan_entity(ScannedEntity&);
    bool scan_entities(std::vector<ScannedEntity>&);
    bool scan_items(ScannedRecord&);
    bool scan_item_object(ScannedRecord&, std::uint32_t& outcome);
    bool scan_outcome_number(ScannedRecord const&, std::uint32_t& outcome);
    bool scan_names(std::vector<std::string_view>&);
    bool scan_texts(std::vector<std::string_view>&);
    bool scan_credential(ScannedRecord&);
    bool scan_text_or_skip(std::string_view&);
    template <typename Member> bool scan_object(Member const& member);
    template <typename Element> bool scan_array(Element const& element);
    bool scan_string(std::string_view&);
    bool unescape(std::string_view raw, std::string_view&);
    bool skip_string();
    bool skip_value();
    bool skip_nested();
    bool take(char);
    bool is_next(char);
    void skip_space();

    char const* at_ = nullptr;
    char const* end_ = nullptr;
    std::deque<std::string> unescaped_; // texts that had escapes
    std::size_t unescaped_used_ = 0;
};

} // namespace writ::audit
