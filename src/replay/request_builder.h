// SPDX-License-Identifier: Apache-2.0
//
// Requests from records' text, without parsing the whole of each: what nobody asks for is left out, and a workload is made once. Owns what it returns, until the next
// call. One thread.
#pragma once

#include "cedar/authorizer.h"
#include "replay/kind_table.h"

#include <memory>

namespace writ::replay {

class RequestBuilder {
public:
    // Both outlive it.
    RequestBuilder(cedar::EntityStore const& behind, AskedFor const& asked);

    // nullptr: the record has something unusual (escapes, digests, cuts), and is to be parsed strictly. Equal in all that is asked for to what
    // recorded_request() makes of it.
    cedar::Request const* build(RecordView const&);
    // With the principal of the request built last.
    [[nodiscard]] cedar::EntityStore const* front() const { return front_; }

private:
    struct Principal {
        cedar::EntityUid uid;
        cedar::EntityStore front;
    };

    bool set_principal(RecordView const&);
    std::unique_ptr<Principal> principal_of(RecordView const&) const;
    bool set_resource(std::string_view resource);
    bool set_context(RecordView const&);
    bool set_sent_context(std::string_view context);
    cedar::Value const* value_of(std::string_view text);

    cedar::EntityStore const& behind_;
    AskedFor const& asked_;
    cedar::Request request_;
    cedar::EntityStore const* front_ = nullptr;
    std::string key_;
    ByText<std::unique_ptr<Principal>> principals_;
    ByText<cedar::Value> values_; // of the context's members, by their text
    bool has_sent_members_ = false; // beside the usual four
};

} // namespace writ::replay
