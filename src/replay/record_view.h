// SPDX-License-Identifier: Apache-2.0
//
// A record's members as the text that stands in the log, without making values of them: what reading millions of records needs. It looks at
// form alone; a record that matters is parsed strictly (audit/record.h). Views live as long as the text.
#pragma once

#include "replay/asked_for.h"

#include <optional>
#include <string>
#include <string_view>

namespace writ::replay {

// Of strings with their quotation marks, of lists and objects with their brackets; empty: not there.
struct RecordView {
    std::string_view v, type, time, decision, workload, workload_type, workload_name, pipeline, team, run, purpose, action;
    std::string_view resource, claims, claims_cut, context, context_cut, redacted, policies, policy_version, items;

    [[nodiscard]] bool is_decision() const { return type == R"("decision")" && (!decision.empty() || !items.empty()); }
};

// Nothing: not one JSON object on one line without white space between its parts, as records are written; or of a later version. A
// member it knows that comes twice makes it nothing, too.
std::optional<RecordView> view_record(std::string_view text);

// The next member of an object's or element of a list's text, from behind its opening bracket on; `rest` moves on. False: the end, or bad form.
struct MemberView {
    std::string_view name, value; // name without quotation marks, as it is written
};
bool next_member(std::string_view& rest, MemberView&);
bool next_element(std::string_view& rest, std::string_view& value);

// The text of a string that needs no unescaping; nothing otherwise.
std::optional<std::string_view> plain_text(std::string_view string_value);

// Everything of the principal that policies can ask for. Written over `key`.
void write_principal_key(std::string& key, RecordView const&, AskedFor const&);
// What of the rest is not principal, decision, action, resource and purpose.
void write_rest_key(std::string& key, RecordView const&, AskedFor const&);
// Everything that the policies' answer depends on, but for the time: equal keys, equal answers at one time. Written over `key`.
void write_key(std::string& key, RecordView const&, AskedFor const&);

} // namespace writ::replay
