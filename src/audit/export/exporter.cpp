// SPDX-License-Identifier: Apache-2.0
#include "audit/export/exporter.h"

#include "audit/export/position.h"
#include "audit/export/transport.h"
#include "base/logger.h"
#include "net/notification.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace writ::audit {

namespace {

// How soon a record is looked for after it was appended. Appending does not wake us: a decision should not pay for it.
constexpr Duration idle_pause = std::chrono::milliseconds(100);
// After a failure: doubled from the first to the last.
constexpr Duration retry_pause_min = std::chrono::milliseconds(500);
constexpr Duration retry_pause_max = std::chrono::seconds(60);
// LIMIT: what one export holds in memory at once.
constexpr std::size_t batch_bytes_max = 2U << 20U;
// LIMIT: records that are passed over (filtered, or of no event) before the position is written.
constexpr std::size_t looked_at_max = 10'000;
constexpr std::size_t read_records = 256; // a bundle

struct Running {
    ExportSpecification specification;
    ExportStatus status;      // under the mutex
    std::uint64_t needed = 0; // the first record that may have to be sent again; under the mutex
    std::atomic<bool> is_ended = false;
    bool has_finished = false;            // the loop's
    std::shared_ptr<Running> predecessor; // the loop's: of the same name, until it has finished
};
using RunningPtr = std::shared_ptr<Running>;

struct Batch {
    std::vector<OutgoingEvent> events;
    std::uint64_t next = 0; // behind its last record
};

} // namespace

struct Exporter::State {
    State(tlog::Log const& source, std::string log_origin, Path position_folder, Clock const& time)
        : log(source)
        , origin(std::move(log_origin))
        , folder(std::move(position_folder))
        , clock(time)
    {
    }

    void declare(std::vector<ExportSpecification> const& specifications);
    void begin(ExportSpecification const& specification, RunningPtr predecessor);
    void ensure_thread();

    static net::Task<> run(State* state, RunningPtr running);
    net::Task<Result<>> deliver(RunningPtr running, Transport& transport, std::uint64_t& next, std::uint64_t& resend_from);
    Result<std::uint64_t> first_position(Running const& running) const;
    Result<Batch> read_batch(Running const& running, std::uint64_t next, std::size_t events_max) const;
    void add_events(Running const& running, std::vector<Bytes> const& entries, std::size_t events_max, Batch& batch, std::size_t& bytes) const;
    void note_progress(Running& running, std::uint64_t next, std::uint64_t needed, std::size_t sent);
    void note_failure(Running& running, Error const& error);

    tlog::Log const& log;
    std::string const origin;
    Path const folder;
    Clock const& clock;
    mutable std::mutex mutex;
    std::map<std::string, RunningPtr, std::less<>> exports; // under the mutex
    net::Notification changed;                              // the loop's
    std::thread thread;
    net::EventLoop loop; // last: its tasks use all of the above
};

void Exporter::State::ensure_thread()
{
    if (!thread.joinable())
        thread = std::thread([this] { loop.run(); });
}

void Exporter::State::begin(ExportSpecification const& specification, RunningPtr predecessor)
{
    auto running = std::make_shared<Running>();
    running->specification = specification;
    running->predecessor = std::move(predecessor);
    running->status = { .name = specification.name,
        .format = std::string(to_string(specification.format)),
        .destination = specification.destination.text };
    if (running->predecessor) {
        running->status.next = running->predecessor->status.next;
        running->needed = running->predecessor->needed;
    }
    exports[specification.name] = running;
    loop.post([this, running] { loop.spawn(run(this, running)); });
}

void Exporter::State::declare(std::vector<ExportSpecification> const& specifications)
{
    std::scoped_lock const lock(mutex);
    auto gone = exports;
    for (auto const& specification : specifications) {
        gone.erase(specification.name);
        auto const known = exports.find(specification.name);
        if (known != exports.end() && known->second->specification == specification)
            continue;
        auto predecessor = known == exports.end() ? nullptr : known->second;
        if (predecessor)
            predecessor->is_ended = true;
        begin(specification, std::move(predecessor));
    }
    for (auto const& [name, running] : gone) {
        running->is_ended = true;
        exports.erase(name);
        // Behind the export's own last word, on the loop.
        loop.post([file = PositionFile(folder, name)] {
            if (auto const removed = file.remove(); removed.is_error())
                log_warning("an export that is gone left its position", { { "error", removed.error().message } });
        });
    }
    if (!specifications.empty())
        ensure_thread();
    loop.post([this] { changed.notify(); });
}

Result<std::uint64_t> Exporter::State::first_position(Running const& running) const
{
    PositionFile const file(folder, running.specification.name);
    auto const stored = TRY(file.load());
    if (!stored) {
        auto const first = running.specification.begins_now ? log.size() : log.first_kept();
        TRY(file.store(first));
        return first;
    }
    if (*stored < log.first_kept())
        log_warning("an export begins behind records that retention has dropped",
            { { "export", running.specification.name }, { "wanted", *stored }, { "kept", log.first_kept() } });
    if (*stored > log.size())
        return corruption("the position, record " + std::to_string(*stored) + ", is beyond the log's end");
    return std::max(*stored, log.first_kept());
}

void Exporter::State::note_progress(Running& running, std::uint64_t next, std::uint64_t needed, std::size_t sent)
{
    std::scoped_lock const lock(mutex);
    if (!running.status.error.empty())
        log_info("an export goes on", { { "export", running.status.name }, { "record", next } });
    running.status.next = next;
    running.needed = needed;
    running.status.sent += sent;
    running.status.error.clear();
    if (sent > 0)
        running.status.arrived = clock.now();
}

void Exporter::State::note_failure(Running& running, Error const& error)
{
    std::scoped_lock const lock(mutex);
    if (running.status.error != error.message)
        log_warning("an export fails; it is tried again",
            { { "export", running.status.name }, { "record", running.status.next }, { "error", error.message } });
    running.status.error = error.message;
    ++running.status.failures;
}

void add_event(EventFormat format, ExportedRecord const& exported, Batch& batch, std::size_t& bytes)
{
    auto text = to_event(format, exported);
    if (text.empty())
        return;
    bytes += text.size();
    batch.events.push_back({ .sequence = exported.sequence,
        .type = exported.record.type,
        .time = exported.record.time,
        .is_warning = exported.record.allowed == false,
        .text = std::move(text) });
}

void Exporter::State::add_events(
    Running const& running, std::vector<Bytes> const& entries, std::size_t events_max, Batch& batch, std::size_t& bytes) const
{
    auto const& specification = running.specification;
    for (auto const& entry : entries) {
        if (batch.events.size() >= events_max || bytes >= batch_bytes_max)
            return;
        auto const sequence = batch.next++;
        auto exported = exported_record(sequence, origin, to_text(entry));
        if (exported.is_error())
            continue;
        for (auto const& one : events_in(std::move(*exported)))
            if (specification.filter.matches(one.record))
                add_event(specification.format, one, batch, bytes);
    }
}

Result<Batch> Exporter::State::read_batch(Running const& running, std::uint64_t next, std::size_t events_max) const
{
    Batch batch { .events = {}, .next = next };
    std::size_t bytes = 0;
    while (batch.events.size() < events_max && bytes < batch_bytes_max && batch.next - next < looked_at_max) {
        auto const entries = TRY(log.read_range(batch.next, read_records));
        if (entries.empty())
            break;
        add_events(running, entries, events_max, batch, bytes);
    }
    return batch;
}

// One batch: read, sent, and its end written down.
net::Task<Result<>> Exporter::State::deliver(RunningPtr running, Transport& transport, std::uint64_t& next, std::uint64_t& resend_from)
{
    auto read = read_batch(*running, next, transport.events_max());
    auto const batch = CO_TRY(read);
    if (!batch.events.empty()) {
        auto sent = co_await transport.send(batch.events);
        if (sent.is_error() && transport.is_unacknowledged())
            next = resend_from;
        CO_TRY(sent);
    }
    if (batch.next == next || running->is_ended)
        co_return Result<>();
    auto stored = PositionFile(folder, running->specification.name).store(transport.is_unacknowledged() ? next : batch.next);
    CO_TRY(stored);
    resend_from = next;
    next = batch.next;
    note_progress(*running, next, transport.is_unacknowledged() ? resend_from : next, batch.events.size());
    co_return Result<>();
}

net::Task<> Exporter::State::run(State* state, RunningPtr running)
{
    while (running->predecessor && !running->predecessor->has_finished)
        co_await state->changed.wait_past(state->changed.version(), idle_pause);
    running->predecessor.reset();
    auto const transport = create_transport(running->specification, state->origin, state->clock);
    std::optional<std::uint64_t> next;
    std::uint64_t resend_from = 0;
    auto pause = retry_pause_min;
    while (!running->is_ended) {
        auto const seen = state->changed.version();
        if (!next) {
            auto const first = state->first_position(*running);
            if (first.is_ok()) {
                next = resend_from = *first;
                state->note_progress(*running, *first, *first, 0);
            } else {
                state->note_failure(*running, first.error());
            }
        }
        auto const before = next;
        auto delivered = next ? co_await state->deliver(running, *transport, *next, resend_from) : Result<>(unavailable("no position"));
        if (delivered.is_error() && before)
            state->note_failure(*running, delivered.error());
        if (delivered.is_ok() && next != before) {
            pause = retry_pause_min;
            continue;
        }
        co_await state->changed.wait_past(seen, delivered.is_ok() ? idle_pause : pause);
        pause = delivered.is_ok() ? retry_pause_min : std::min(pause * 2, retry_pause_max);
    }
    running->has_finished = true;
    state->changed.notify();
}

Exporter::Exporter(tlog::Log const& log, std::string origin, Path folder, Clock const& clock)
    : state_(std::make_unique<State>(log, std::move(origin), std::move(folder), clock))
{
}

Exporter::~Exporter()
{
    state_->loop.stop();
    if (state_->thread.joinable())
        state_->thread.join();
}

void Exporter::declare(std::vector<ExportSpecification> specifications) { state_->declare(specifications); }

std::vector<ExportStatus> Exporter::status() const
{
    std::vector<ExportStatus> all;
    auto const size = state_->log.size();
    std::scoped_lock const lock(state_->mutex);
    for (auto const& [name, running] : state_->exports) {
        all.push_back(running->status);
        all.back().lag = size - std::min(size, running->status.next);
    }
    return all;
}

std::uint64_t Exporter::first_needed() const
{
    auto const size = state_->log.size();
    std::scoped_lock const lock(state_->mutex);
    auto needed = size;
    for (auto const& [name, running] : state_->exports)
        needed = std::min(needed, running->needed);
    return needed;
}

} // namespace writ::audit
