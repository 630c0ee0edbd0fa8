// SPDX-License-Identifier: Apache-2.0
#include "audit/audit_log.h"

#include "audit/index.h"
#include "base/logger.h"
#include "tlog/entry_reader.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace writ::audit {

namespace {

// Records read and indexed at once.
constexpr std::size_t batch_records = 1000;
// LIMIT: questions that wait; beyond it they are refused.
constexpr std::size_t waiting_questions_max = 1024;
// The index follows the log by itself when appends have paused for so long; a question makes it catch up at once.
constexpr std::chrono::milliseconds idle_before_indexing { 500 };
// The index follows by itself when it is so far behind, appends or no appends: a question should not find a million records to read.
constexpr std::uint64_t lag_max = 20'000;
// At once, so that questions and proofs do not wait for the end of a long way.
constexpr std::uint64_t round_records = 50'000;
// LIMIT: how long a proof waits for the checkpoint it leads to; far longer than any but a full disk takes.
constexpr Duration proof_wait_max = std::chrono::seconds(5);

// A proof whose record is durable, and in no checkpoint yet.
struct WaitingProof {
    std::uint64_t sequence;
    Monotonic deadline;
    Done<ProvenRecord> done;
};

class LogRecords final : public RecordSource {
public:
    LogRecords(tlog::Log const& log, Path folder)
        : log_(log)
        , entries_(std::move(folder))
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return log_.size(); }
    [[nodiscard]] std::uint64_t first_kept() const override { return log_.first_kept(); }
    // What is in full bundles is read from their files; where there are none, the log knows.
    [[nodiscard]] Result<Bytes> read(std::uint64_t sequence) const override
    {
        if (sequence < log_.latest().size) {
            if (auto entry = TRY(entries_.read(sequence)))
                return std::move(*entry);
        }
        return log_.read(sequence);
    }
    [[nodiscard]] Result<std::string> checkpoint() const override { return log_.checkpoint(); }

private:
    tlog::Log const& log_;
    mutable tlog::EntryReader entries_;
};

class SqliteAuditLog final : public AuditLog {
public:
    SqliteAuditLog(std::unique_ptr<tlog::Log> log, Path folder, std::unique_ptr<Index> index, Clock const& clock)
        : log_(std::move(log))
        , index_(std::move(index))
        , records_(*log_, std::move(folder))
        , desk_(*index_, records_, clock)
        , clock_(clock)
        , thread_([this] { work(); })
    {
    }

    ~SqliteAuditLog() override
    {
        {
            std::lock_guard const lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        thread_.join();
        log_.reset(); // it calls back as it ends, while we are still whole
    }
    SqliteAuditLog(SqliteAuditLog const&) = delete;
    SqliteAuditLog& operator=(SqliteAuditLog const&) = delete;

    void append(Record const& record, Done<std::uint64_t> done) override { log_->append(to_bytes(to_json_text(record)), std::move(done)); }

    void append_text(std::string text, Done<std::uint64_t> done) override { log_->append(to_bytes(text), std::move(done)); }

    void when_indexed(std::function<void(Result<Questions*>)> ask) override
    {
        put<Questions*>(
            [this, ask] {
                auto const caught_up = catch_up();
                ask(caught_up.is_ok() ? Result<Questions*>(&desk_) : caught_up.error());
            },
            ask);
    }

    void prove(std::uint64_t sequence, Done<ProvenRecord> done) override
    {
        put([this, sequence, done] { start_proof(sequence, done); }, done);
    }

    [[nodiscard]] tlog::Log const& log() const override { return *log_; }
    Result<std::uint64_t> drop_before(std::uint64_t first) override { return log_->drop_before(first); }

private:
    template <typename T> void put(std::function<void()> question, Done<T> const& done)
    {
        {
            std::lock_guard const lock(mutex_);
            if (questions_.size() < waiting_questions_max && !stopping_) {
                questions_.push_back(std::move(question));
                wake_.notify_one();
                return;
            }
        }
        done(resource_exhausted("too many questions to the audit log at once"));
    }

    void work();
    void begin();
    void answer_one();
    void keep_up();
    void follow_retention();
    Result<> catch_up(std::uint64_t at_most = UINT64_MAX);
    void start_proof(std::uint64_t sequence, Done<ProvenRecord> const& done);
    void finish_proofs(bool is_end);
    Result<ProvenRecord> proof_of(std::uint64_t sequence);

    std::unique_ptr<tlog::Log> log_;
    std::unique_ptr<Index> index_; // of the thread, as all down to the proofs
    LogRecords records_;
    Questions desk_;
    Clock const& clock_;
    RecordScanner scanner_;
    ScannedRecord scanned_;
    std::uint64_t seen_size_ = 0;
    std::uint64_t seen_first_kept_ = 0; // that the index was told of
    std::vector<WaitingProof> proofs_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<std::function<void()>> questions_; // under mutex_, as the next two
    bool has_published_ = false;                  // since proofs were last looked at
    bool stopping_ = false;
    std::thread thread_; // last: it uses all of the others
};

void SqliteAuditLog::begin()
{
    if (index_->next() > log_->size()) {
        log_warning("the audit index is not of this log; it is built anew");
        // One that cannot be written is seen when it is written to.
        (void)index_->clear().is_ok();
    }
    seen_size_ = log_->size();
}

void SqliteAuditLog::work()
{
    begin();
    for (;;) {
        std::unique_lock lock(mutex_);
        bool const is_woken
            = wake_.wait_for(lock, idle_before_indexing, [this] { return stopping_ || has_published_ || !questions_.empty(); });
        bool const is_end = stopping_ && questions_.empty();
        has_published_ = false;
        lock.unlock();
        finish_proofs(is_end);
        if (is_end)
            return;
        if (is_woken)
            answer_one();
        else
            keep_up();
    }
}

void SqliteAuditLog::answer_one()
{
    std::unique_lock lock(mutex_);
    if (questions_.empty())
        return;
    auto const question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    question();
}

// Room is not asked for again where it could not be made: the next records that are dropped make some, or the next start does.
void SqliteAuditLog::follow_retention()
{
    auto const first_kept = log_->first_kept();
    if (first_kept == seen_first_kept_)
        return;
    seen_first_kept_ = first_kept;
    if (auto const forgotten = index_->forget_before(first_kept); forgotten.is_error())
        log_warning("the audit index keeps what retention has dropped", { { "error", forgotten.error().message } });
}

void SqliteAuditLog::keep_up()
{
    follow_retention();
    auto const size = log_->size();
    if (size > index_->next() && (size == seen_size_ || size - index_->next() > lag_max)) {
        if (auto const caught_up = catch_up(round_records); caught_up.is_error())
            log_warning("the audit index does not follow", { { "error", caught_up.error().message } });
    }
    seen_size_ = size;
}

// What the index's disk does not take is kept in memory until it does.
Result<> SqliteAuditLog::catch_up(std::uint64_t at_most)
{
    if (index_->is_damaged()) {
        log_warning("the audit index is damaged; it is built anew");
        TRY(index_->clear());
    }
    auto const size = std::min(log_->size(), index_->next() + std::min(at_most, tlog::tree_size_max));
    while (index_->next() < size) {
        auto const next = index_->next();
        // What retention dropped before it was read is in no index.
        if (next < log_->first_kept()) {
            TRY(index_->add(nullptr));
            continue;
        }
        auto const texts = TRY(log_->read_range(next, std::min<std::size_t>(batch_records, size - next)));
        if (texts.empty())
            return corruption("audit log: entry " + std::to_string(next) + " cannot be read");
        for (auto const& text : texts)
            TRY(index_->add(scanner_.scan(as_text(text), scanned_) ? &scanned_ : nullptr));
    }
    return {};
}

void SqliteAuditLog::start_proof(std::uint64_t sequence, Done<ProvenRecord> const& done)
{
    if (log_->latest().size > sequence || sequence >= log_->size())
        return done(proof_of(sequence));
    proofs_.push_back({ .sequence = sequence, .deadline = clock_.monotonic() + proof_wait_max, .done = done });
    log_->when_published(sequence + 1, [this](Result<> const&) {
        std::lock_guard const lock(mutex_);
        has_published_ = true;
        wake_.notify_one();
    });
}

// Those that can be given now, and those that have waited too long.
void SqliteAuditLog::finish_proofs(bool is_end)
{
    std::vector<WaitingProof> waiting;
    for (auto& proof : std::exchange(proofs_, {})) {
        if (log_->latest().size > proof.sequence)
            proof.done(proof_of(proof.sequence));
        else if (is_end || proof.deadline <= clock_.monotonic())
            proof.done(unavailable("record " + std::to_string(proof.sequence) + " is durable, and in no published checkpoint yet"));
        else
            waiting.push_back(std::move(proof));
    }
    proofs_ = std::move(waiting);
}

Result<ProvenRecord> SqliteAuditLog::proof_of(std::uint64_t sequence)
{
    auto record = TRY(desk_.stored(sequence));
    auto checkpoint = log_->checkpoint();
    auto const size = TRY(tlog::parse_checkpoint_without_verifying(checkpoint)).size;
    auto proof = TRY(log_->inclusion_proof(sequence, size));
    return ProvenRecord { std::move(record), std::move(checkpoint), std::move(proof) };
}

} // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(tlog::LogOptions options, Path index, Clock const& clock)
{
    auto folder = options.folder;
    auto log = TRY(tlog::Log::open(std::move(options), clock));
    auto opened = TRY(Index::open(std::move(index)));
    return std::unique_ptr<AuditLog>(std::make_unique<SqliteAuditLog>(std::move(log), std::move(folder), std::move(opened), clock));
}

} // namespace writ::audit
