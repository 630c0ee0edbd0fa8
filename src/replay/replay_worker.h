// SPDX-License-Identifier: Apache-2.0
//
// One thread's part of a replay. Private to replay.
#pragma once

#include "replay/replay.h"
#include "replay/request_builder.h"

namespace writ::replay {

struct GroupedChange {
    Change change;
    std::string first_text, first_item; // of the first record among them
};
using Changes = std::map<ChangeKey, GroupedChange>;

class ReplayWorker {
public:
    // All outlive it.
    ReplayWorker(cedar::Engine const& draft, AskedFor const&, Selection const&);

    void look_at(std::uint64_t sequence, std::string_view record);
    void add_to(Report&, Changes&);

private:
    // Where one kind of request is counted, if it changes or cannot be judged.
    struct Place {
        GroupedChange* change = nullptr;
        std::uint64_t* unjudged = nullptr;
    };
    // The policies that a record names, among the draft's.
    struct NamedPolicies {
        std::vector<std::string> ids;        // sorted
        std::vector<std::uint32_t> in_draft; // indices, sorted; as many as ids if the draft has them all
        bool is_cut = false;                 // there were more
    };

    [[nodiscard]] bool is_selected(RecordView const&) const;
    // A record's text, and of a record of many decisions the item's.
    struct Text {
        std::string_view record, item;
    };
    void look_at(std::uint64_t sequence, RecordView const&, Text);
    Place decide(RecordView const&, Text);
    Place decide_strictly(RecordView const&, Text);
    Place compare(RecordView const&, cedar::Request const&, cedar::Verdict const&);
    NamedPolicies const& named_policies(std::string_view list);
    [[nodiscard]] static bool are_same(NamedPolicies const&, cedar::Verdict const&);
    [[nodiscard]] ChangeKey key_of(RecordView const&, cedar::Request const&, cedar::Verdict const&, NamedPolicies const&) const;
    void count(Place const&, std::uint64_t sequence, Text);
    std::uint64_t* unjudged(std::string const& why);

    cedar::Engine const& draft_;
    cedar::Decider decider_;
    AskedFor const& asked_;
    bool decides_each_; // run or time is asked for, which differ in nearly all
    std::string since_, workload_;
    RequestBuilder builder_;
    std::map<std::string, std::uint32_t, std::less<>> draft_ids_;
    ByText<NamedPolicies> named_;
    std::string key_;
    KindTable<Place> kinds_;
    Changes changes_;
    GroupedChange beyond_groups_, policies_beyond_groups_;
    Report tally_;
};

} // namespace writ::replay
