// SPDX-License-Identifier: Apache-2.0
//
// A record of a decision turned back into the request that was decided, as far as the record tells: what it does not tell is named.
#pragma once

#include "audit/record.h"
#include "cedar/authorizer.h"

namespace writ::replay {

// What a text that was too long for its record ends with.
inline constexpr std::string_view cut_mark = "\xE2\x80\xA6";

// A part of the request whose value the log does not have.
struct Withheld {
    enum class Kind : std::uint8_t { context, tag, request };
    Kind kind = Kind::context;
    std::string name; // of the context's member, the tag or the record's member; empty: any of them may be missing
    std::string why;  // `kept as a digest`, `too long to be kept`
    bool operator==(Withheld const&) const = default;
};
std::string to_string(Withheld const&); // `context.approver: kept as a digest`

struct RecordedRequest {
    cedar::Request request;
    cedar::Entity principal; // stands before the entities that were declared
    std::vector<Withheld> withheld;
};

// The principal before what is declared, unless it is declared itself: as the authority decides.
cedar::EntityStore entities_for(RecordedRequest const&, cedar::EntityStore const& declared);

// invalid_argument: not a record of a decision, or its context is none.
Result<RecordedRequest> recorded_request(audit::Record const&);

} // namespace writ::replay
