// SPDX-License-Identifier: Apache-2.0
#include "audit/audit_log.h"

#include "audit/index.h"
#include "base/logger.h"

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
constexpr std::size_t uses_max = 1000;
// The index follows the log by itself when appends have paused for so long; a question makes it catch up at once.
constexpr std::chrono::milliseconds idle_before_indexing { 500 };
// The index follows by itself when it is so far behind, appends or no appends: a question should not find a million records to read.
constexpr std::uint64_t lag_max = 20'000;
// LIMIT: how long a proof waits for the checkpoint it leads to; far longer than any but a full disk takes.
constexpr Duration proof_wait_max = std::chrono::seconds(5);

// A proof whose record is durable, and in no checkpoint yet.
struct WaitingProof {
    std::uint64_t sequence;
    Monotonic deadline;
    Done<ProvenRecord> done;
};

class SqliteAuditLog final : public AuditLog {
public:
    SqliteAuditLog(std::unique_ptr<tlog::Log> log, std::unique_ptr<Index> index, Clock const& clock)
        : log_(std::move(log))
        , index_(std::move(index))
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

    void query(RecordFilter filter, Done<std::vector<StoredRecord>> done) override
    {
        ask<std::vector<StoredRecord>>([this, filter = std::move(filter)] { return find(filter); }, std::move(done));
    }

    void who_used(std::string type, std::string id, Done<std::vector<Use>> done) override
    {
        ask<std::vector<Use>>([this, type = std::move(type), id = std::move(id)] { return uses_of(type, id); }, std::move(done));
    }

    void prove(std::uint64_t sequence, Done<ProvenRecord> done) override
    {
        put([this, sequence, done] { start_proof(sequence, done); }, done);
    }

    [[nodiscard]] tlog::Log const& log() const override { return *log_; }
    Result<std::uint64_t> drop_before(std::uint64_t first) override { return log_->drop_before(first); }

private:
    template <typename T> void ask(std::function<Result<T>()> answer, Done<T> const& done)
    {
        put([answer = std::move(answer), done] { done(answer()); }, done);
    }
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
    Result<> catch_up();
    Result<> follow(Index& index, std::uint64_t& next) const;
    Result<std::vector<std::uint64_t>> from_both(
        std::size_t limit, std::function<Result<std::vector<std::uint64_t>>(Index&)> const& ask_one);
    Result<StoredRecord> stored(std::uint64_t sequence) const;
    Result<std::vector<StoredRecord>> find(RecordFilter const& filter);
    Result<std::vector<Use>> uses_of(std::string const& type, std::string const& id);
    Result<Use> use_of(std::uint64_t issuance);
    void start_proof(std::uint64_t sequence, Done<ProvenRecord> const& done);
    void finish_proofs(bool is_end);
    Result<ProvenRecord> proof_of(std::uint64_t sequence);

    std::unique_ptr<tlog::Log> log_;
    std::unique_ptr<Index> index_; // of the thread
    Clock const& clock_;
    std::uint64_t indexed_ = 0; // of the thread, as all down to the proofs
    // What could not be written to the index, since its disk is full: kept in memory until it can.
    std::unique_ptr<Index> tail_;
    std::uint64_t tail_next_ = 0;
    std::uint64_t seen_size_ = 0;
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
    auto const next = index_->next();
    indexed_ = next.is_ok() ? *next : 0;
    if (next.is_error() || indexed_ > log_->size()) {
        log_warning("the audit index is not of this log; it is built anew");
        // One that cannot be written is seen when it is written to.
        (void)index_->clear().is_ok();
        indexed_ = 0;
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

void SqliteAuditLog::keep_up()
{
    auto const size = log_->size();
    if (size > indexed_ && (size == seen_size_ || size - indexed_ > lag_max)) {
        if (auto const caught_up = catch_up(); caught_up.is_error())
            log_warning("the audit index does not follow", { { "error", caught_up.error().message } });
    }
    seen_size_ = size;
}

// Reading goes on when the index's disk is full.
Result<> SqliteAuditLog::catch_up()
{
    if (index_->is_damaged()) {
        log_warning("the audit index is damaged; it is built anew");
        TRY(index_->clear());
        indexed_ = 0;
    }
    auto const followed = follow(*index_, indexed_);
    if (followed.is_ok()) {
        tail_.reset();
        return {};
    }
    if (!tail_) {
        log_warning("the audit index cannot be written; what is new is kept in memory", { { "error", followed.error().message } });
        tail_ = TRY(Index::open(":memory:"));
        tail_next_ = indexed_;
    }
    return follow(*tail_, tail_next_);
}

Result<> SqliteAuditLog::follow(Index& index, std::uint64_t& next) const
{
    auto const size = log_->size();
    next = std::max(next, log_->first_kept()); // what was dropped before it was read is in no index
    while (next < size) {
        auto const texts = TRY(log_->read_range(next, std::min<std::size_t>(batch_records, size - next)));
        if (texts.empty())
            return corruption("audit log: entry " + std::to_string(next) + " cannot be read");
        std::vector<std::optional<Record>> records;
        for (auto const& text : texts) {
            auto parsed = parse_record(as_text(text));
            records.push_back(parsed.is_ok() ? std::optional(std::move(parsed).value()) : std::nullopt);
        }
        TRY(index.add(next, records));
        next += records.size();
    }
    return {};
}

// Newest first: what is in memory is newer than what is on disk.
Result<std::vector<std::uint64_t>> SqliteAuditLog::from_both(
    std::size_t limit, std::function<Result<std::vector<std::uint64_t>>(Index&)> const& ask_one)
{
    auto found = tail_ ? TRY(ask_one(*tail_)) : std::vector<std::uint64_t>();
    auto const older = TRY(ask_one(*index_));
    found.insert(found.end(), older.begin(), older.end());
    found.resize(std::min(found.size(), limit));
    return found;
}

Result<StoredRecord> SqliteAuditLog::stored(std::uint64_t sequence) const
{
    auto text = to_text(TRY(log_->read(sequence)));
    auto record = TRY(parse_record(text).in("audit record " + std::to_string(sequence)));
    return StoredRecord { sequence, std::move(text), std::move(record) };
}

Result<std::vector<StoredRecord>> SqliteAuditLog::find(RecordFilter const& filter)
{
    TRY(catch_up());
    std::vector<StoredRecord> found;
    for (auto const sequence : TRY(from_both(filter.limit, [&filter](Index& index) { return index.find(filter); })))
        if (sequence >= log_->first_kept()) // dropped since
            found.push_back(TRY(stored(sequence)));
    return found;
}

Result<Use> SqliteAuditLog::use_of(std::uint64_t issuance)
{
    auto const issued = TRY(stored(issuance)).record;
    Use use { issued.workload, issued.workload_name, issued.pipeline, issued.team, issued.run, issued.purpose, issued.action, issued.claims,
        issued.policies, issued.policy_version, issued.credential.value_or(RecordedCredential {}), issued.decision.value_or(issuance),
        issuance, issued.time, std::nullopt, "" };
    std::optional<std::uint64_t> revocation;
    if (!use.credential.lease.empty())
        revocation = TRY(index_->revocation_of(use.credential.lease));
    if (!use.credential.lease.empty() && !revocation && tail_)
        revocation = TRY(tail_->revocation_of(use.credential.lease));
    if (revocation) {
        auto const ended = TRY(stored(*revocation)).record;
        use.to = ended.time;
        use.ended = ended.reason;
        // A lease is prolonged while its run lives; the record of its end has the expiry it had then. If nobody was there to revoke it in
        // time, the system it is for ended it by itself.
        if (ended.credential && ended.credential->expires) {
            use.credential.expires = ended.credential->expires;
            use.to = std::min(ended.time, *ended.credential->expires);
        }
    } else if (use.credential.lease.empty() && use.credential.expires && *use.credential.expires <= clock_.now()) {
        use.to = use.credential.expires;
        use.ended = "expired";
    }
    return use;
}

Result<std::vector<Use>> SqliteAuditLog::uses_of(std::string const& type, std::string const& id)
{
    TRY(catch_up());
    std::vector<Use> uses;
    for (auto const sequence : TRY(from_both(uses_max, [&](Index& index) { return index.issuances_for(type, id, uses_max); })))
        if (sequence >= log_->first_kept())
            uses.push_back(TRY(use_of(sequence)));
    return uses;
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
    auto record = TRY(stored(sequence));
    auto checkpoint = log_->checkpoint();
    auto const size = TRY(tlog::parse_checkpoint_without_verifying(checkpoint)).size;
    auto proof = TRY(log_->inclusion_proof(sequence, size));
    return ProvenRecord { std::move(record), std::move(checkpoint), std::move(proof) };
}

} // namespace

Result<std::unique_ptr<AuditLog>> AuditLog::open(tlog::LogOptions options, Path index, Clock const& clock)
{
    auto log = TRY(tlog::Log::open(std::move(options), clock));
    auto opened = TRY(Index::open(std::move(index)));
    return std::unique_ptr<AuditLog>(std::make_unique<SqliteAuditLog>(std::move(log), std::move(opened), clock));
}

} // namespace writ::audit
