// SPDX-License-Identifier: Apache-2.0
//
// The audit log: records in a transparency log, and an SQLite index that answers questions and can always be rebuilt from it. Thread-safe.
// Callbacks come on threads of its own and must be short (post to your loop).
#pragma once

#include "audit/questions.h"
#include "tlog/log.h"

#include <functional>

namespace writ::audit {

struct ProvenRecord {
    StoredRecord stored;
    std::string checkpoint; // signed note of a tree that contains it
    std::vector<tlog::Hash> proof;
};

template <typename T> using Done = std::function<void(Result<T>)>;

class AuditLog {
public:
    // `index` is an SQLite file; one that is missing, of another version or ahead of the log is built anew.
    static Result<std::unique_ptr<AuditLog>> open(tlog::LogOptions, Path index, Clock const&);
    virtual ~AuditLog() = default;

    // The sequence number, once the record is durable.
    virtual void append(Record const&, Done<std::uint64_t>) = 0;

    // The same of a record as it will lie in the log.
    virtual void append_text(std::string, Done<std::uint64_t>) = 0;

    // Calls back on the index's thread, which has then followed everything acknowledged before; what is asked there is answered at once.
    virtual void when_indexed(std::function<void(Result<Questions*>)>) = 0;
    template <typename T> void ask(std::function<Result<T>(Questions&)> question, Done<T> done)
    {
        when_indexed([question = std::move(question), done = std::move(done)](
                         Result<Questions*> questions) { done(questions.is_ok() ? question(**questions) : questions.error()); });
    }
    void query(RecordFilter filter, Done<std::vector<StoredRecord>> done)
    {
        ask<std::vector<StoredRecord>>(
            [filter = std::move(filter)](Questions& questions) { return questions.find(filter); }, std::move(done));
    }
    // Waits for the checkpoint that covers it.
    virtual void prove(std::uint64_t sequence, Done<ProvenRecord>) = 0;

    [[nodiscard]] virtual tlog::Log const& log() const = 0;
    // Drops records before `first` (tlog::Log::drop_before). INVARIANT: a retention record that says so is durable by then.
    virtual Result<std::uint64_t> drop_before(std::uint64_t first) = 0;
};

} // namespace writ::audit
