// SPDX-License-Identifier: Apache-2.0
//
// Sends records to where they are declared to go: each export at least once, in order, from a position that survives a crash. Records are
// read from the log when there is somebody to take them, so that a destination that is down costs a number and no memory, and nobody who
// decides ever waits. A thread and a loop of its own. Thread-safe.
#pragma once

#include "audit/export/destination.h"
#include "tlog/log.h"

#include <map>
#include <memory>

namespace writ::audit {

struct ExportStatus {
    std::string name;
    std::string format;
    std::string destination;
    std::uint64_t next = 0;     // the first record that has not arrived
    std::uint64_t lag = 0;      // records behind the log
    std::uint64_t sent = 0;     // events since start
    std::uint64_t failures = 0; // attempts since start
    std::string error;          // of the last attempt; empty: it arrived
    std::optional<Timestamp> arrived; // the last time something did
};

class Exporter {
public:
    // `folder` is for positions. The log and the clock outlive it.
    Exporter(tlog::Log const&, std::string origin, Path folder, Clock const&);
    ~Exporter(); // what is under way is left; it is sent again at the next start
    Exporter(Exporter const&) = delete;
    Exporter& operator=(Exporter const&) = delete;

    // All exports there are: those that are new begin, those that are gone end and lose their position, those that changed go on from theirs.
    void declare(std::vector<ExportSpecification>);
    [[nodiscard]] std::vector<ExportStatus> status() const;
    // The first record that some export still needs; the log's size if there is none.
    [[nodiscard]] std::uint64_t first_needed() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace writ::audit
