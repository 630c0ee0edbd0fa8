// SPDX-License-Identifier: Apache-2.0
//
// Recorded decisions made again by one worker. Requests that are alike in all that the policies ask for are one kind, and decided once; only if the policies ask for the
// time, each of them is.
#pragma once

#include "cedar/engine.h"
#include "replay/asked_for.h"
#include "replay/record_view.h"
#include "replay/recorded_request.h"

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>

namespace writ::replay {

// LIMIT: record numbers that are kept of what is alike.
inline constexpr std::size_t examples_max = 3;
// LIMIT: kinds that a worker keeps.
inline constexpr std::size_t kinds_max = 200'000;

struct Selection {
    std::optional<Timestamp> since;
    std::string workload; // SPIFFE ID or declared name; empty: all
};

struct Occurrences {
    std::uint64_t count = 0;
    std::vector<std::uint64_t> examples; // the first records, ascending

    void add(std::uint64_t sequence);
    void add(Occurrences const&);
};

// What the policies say now, to how many of a kind.
struct Outcome {
    bool allowed = false;
    std::vector<std::uint32_t> determining; // indices of policies
    Occurrences occurrences;
};

struct Kind {
    std::string unjudged; // why it cannot be decided; empty: it can
    audit::Record record; // the first of them
    cedar::Request request;
    std::unique_ptr<cedar::EntityStore> front; // with the principal
    std::vector<Outcome> outcomes;
};

class Kinds {
public:
    // Both outlive it. `asked` is what the engine's policies ask for.
    Kinds(cedar::Engine const&, AskedFor const& asked, Selection const&);

    void look_at(std::uint64_t sequence, std::string_view record);
    // Whether there are too many kinds: what came since then is not among them.
    [[nodiscard]] bool is_full() const { return kinds_.size() >= kinds_max; }
    // In the order of their first records; it begins anew with none.
    std::vector<Kind> take();

    struct Tally {
        std::uint64_t records = 0;   // of all types
        std::uint64_t decisions = 0; // made again
        std::uint64_t kinds = 0;
        std::map<std::string, std::uint64_t> unjudged; // why, and how many
    };
    [[nodiscard]] Tally const& tally() const { return tally_; }

private:
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
    };

    [[nodiscard]] bool is_selected(RecordView const&) const;
    void look_at(std::uint64_t sequence, RecordView const&, std::string_view record, std::string_view item);
    [[nodiscard]] Kind kind_of(std::string_view record, std::string_view item) const;
    void decide(Kind&, RecordView const&, std::uint64_t sequence);
    void add_unjudged(std::string const& why);

    cedar::Engine const& engine_;
    cedar::Decider decider_;
    AskedFor const& asked_;
    bool asks_for_time_;
    std::string since_, workload_;
    std::string key_;
    std::unordered_map<std::string, Kind, TextHash, std::equal_to<>> kinds_;
    Tally tally_;
};

} // namespace writ::replay
