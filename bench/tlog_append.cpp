// SPDX-License-Identifier: Apache-2.0
//
// tlog_append [FOLDER [WRITERS …]]: durable appends with 1, 8, 64 and 512 writers, each of whom waits for its record before it writes the next, beside
// bare write and fdatasync of the same bytes on the same disk, in turns; the spool of an outage with as many; and how long after its acknowledgement
// a record of the log can be proven. The writers are one thread that is called back (`log`), or tasks of an event loop, as the authority's are (`tasks`).
// CPU is the whole process's, the writers' share included.
#include "audit/spool.h"
#include "net/task.h"
#include "tlog/log.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <sys/resource.h>
#include <vector>

namespace {

using namespace writ;
using Instant = std::chrono::steady_clock::time_point;

constexpr std::size_t record_bytes = 400; // a decision with five claims
constexpr int turns = 5;
constexpr std::chrono::milliseconds turn_time { 1000 };

Instant now() { return std::chrono::steady_clock::now(); }
double seconds(Instant::duration time) { return std::chrono::duration<double>(time).count(); }

double cpu_seconds()
{
    rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    auto const of = [](timeval const& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return of(usage.ru_utime) + of(usage.ru_stime);
}

struct Measured {
    std::vector<double> microseconds; // of each acknowledgement
    double elapsed = 0, cpu = 0;
    std::size_t records = 0;

    void add(Instant::duration time) { microseconds.push_back(seconds(time) * 1e6); }
    double percentile(double share)
    {
        if (microseconds.empty())
            return 0;
        auto const at = std::min(microseconds.size() - 1, static_cast<std::size_t>(share * static_cast<double>(microseconds.size())));
        std::ranges::nth_element(microseconds, microseconds.begin() + static_cast<std::ptrdiff_t>(at));
        return microseconds[at];
    }
    [[nodiscard]] double rate() const { return static_cast<double>(records) / elapsed; }
    [[nodiscard]] double cpu_of_a_record() const { return cpu * 1e6 / static_cast<double>(records); }
};

// Runs for a turn and adds what it took.
template <typename Work> void measure(Measured& measured, Work const& work)
{
    auto const begin = now();
    auto const cpu = cpu_seconds();
    work(begin + turn_time);
    measured.elapsed += seconds(now() - begin);
    measured.cpu += cpu_seconds() - cpu;
}

// write + fdatasync of what a group of `batch` records takes in the journal.
void sync_bare(int fd, std::size_t batch, Measured& measured)
{
    Bytes const bytes(28 + batch * (10 + record_bytes), 'x');
    measure(measured, [&](Instant end) {
        while (now() < end) {
            auto const start = now();
            if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0)
                std::abort();
            measured.add(now() - start);
            measured.records += batch;
        }
    });
}

// `writers` records wait at any time: each acknowledgement is followed by another append, from this thread. `append(done)` calls back with a result.
template <typename Append> void append_records(Append const& append, std::size_t writers, Measured& measured)
{
    std::mutex mutex;
    std::condition_variable acknowledged;
    std::size_t waiting = 0;
    measure(measured, [&](Instant end) {
        while (now() < end) {
            std::size_t room = 0;
            {
                std::unique_lock lock(mutex);
                acknowledged.wait(lock, [&] { return waiting < writers; });
                room = writers - waiting;
                waiting = writers;
            }
            for (; room > 0; --room)
                append([&, start = now()](auto const& result) {
                    if (result.is_error())
                        std::abort();
                    std::scoped_lock const lock(mutex);
                    measured.add(now() - start);
                    ++measured.records;
                    --waiting;
                    if (waiting + 1 == writers || waiting == 0)
                        acknowledged.notify_one();
                });
        }
        std::unique_lock lock(mutex);
        acknowledged.wait(lock, [&] { return waiting == 0; });
    });
}

net::Task<> write_until(Instant end, tlog::Log& log, Bytes const& record, Measured& measured, std::size_t& writing, net::EventLoop& loop)
{
    while (now() < end) {
        auto const start = now();
        auto const appended = co_await net::await_callback<Result<std::uint64_t>>(
            [&](net::Completion<Result<std::uint64_t>> done) { log.append(record, std::move(done)); });
        if (appended.is_error())
            std::abort();
        measured.add(now() - start);
        ++measured.records;
    }
    if (--writing == 0)
        loop.stop();
}

// As many tasks as there are writers, each of which waits for its record: how the authority's requests write theirs.
void append_from_tasks(tlog::Log& log, Bytes const& record, std::size_t writers, Measured& measured)
{
    measure(measured, [&](Instant end) {
        net::EventLoop loop;
        auto writing = writers;
        for (std::size_t i = 0; i < writers; ++i)
            loop.spawn(write_until(end, log, record, measured, writing, loop));
        loop.run();
    });
}

// From acknowledgement to the moment when an inclusion proof is there, one record at a time.
void measure_proofs(tlog::Log& log, Measured& measured)
{
    for (int i = 0; i < 300; ++i) {
        std::mutex mutex;
        std::condition_variable proven;
        auto is_proven = false;
        log.append(Bytes(record_bytes, 'x'), [&](Result<std::uint64_t> const& index) {
            log.when_published(index.value() + 1, [&, at = index.value(), acknowledged = now()](Result<> const&) {
                if (log.inclusion_proof(at, log.latest().size).is_error())
                    std::abort();
                std::scoped_lock const lock(mutex);
                measured.add(now() - acknowledged);
                is_proven = true;
                proven.notify_one();
            });
        });
        std::unique_lock lock(mutex);
        proven.wait(lock, [&] { return is_proven; });
    }
}

void print(char const* name, std::size_t writers, Measured& measured)
{
    std::printf("%-8s %4zu writers %10.0f records/s   p50 %8.0f us   p99 %8.0f us   CPU %7.2f us a record\n", name, writers, measured.rate(),
        measured.percentile(0.50), measured.percentile(0.99), measured.cpu_of_a_record());
}

// Has so many bytes at most; begun anew before it is full.
class SpoolOfAnOutage {
public:
    explicit SpoolOfAnOutage(Path folder)
        : folder_(std::move(folder))
    {
        begin();
    }
    template <typename Done> void append(Done done)
    {
        spool_->append(record_, 0, std::move(done));
    }
    void begin()
    {
        spool_.reset();
        std::filesystem::remove_all(folder_);
        spool_ = audit::Spool::open({ .folder = folder_, .bytes_max = std::size_t(2) << 30U }).value();
    }

private:
    Path folder_;
    std::string record_ = std::string(record_bytes, 'x');
    std::unique_ptr<audit::Spool> spool_;
};

void run(tlog::Log& log, SpoolOfAnOutage& spool, int bare_fd, std::vector<std::size_t> const& writers)
{
    Bytes const record(record_bytes, 'x');
    std::vector<Measured> bare(writers.size()), ours(writers.size()), tasks(writers.size()), spooled(writers.size());
    Measured quiet, busy;
    measure_proofs(log, quiet);
    for (int turn = 0; turn < turns; ++turn)
        for (std::size_t i = 0; i < writers.size(); ++i) {
            sync_bare(bare_fd, writers[i], bare[i]);
            append_records([&](auto done) { log.append(record, std::move(done)); }, writers[i], ours[i]);
            append_from_tasks(log, record, writers[i], tasks[i]);
        }
    measure_proofs(log, busy); // while the files of all that are written
    for (std::size_t i = 0; i < writers.size(); ++i) {
        append_records([&](auto done) { spool.append(std::move(done)); }, writers[i], spooled[i]);
        spool.begin();
    }
    for (std::size_t i = 0; i < writers.size(); ++i) {
        print("bare", writers[i], bare[i]);
        print("log", writers[i], ours[i]);
        print("tasks", writers[i], tasks[i]);
        print("spool", writers[i], spooled[i]);
        for (auto* const form : { &ours[i], &tasks[i] })
            std::printf("         of a bare sync of as many records: rate %.2f, p99 of an acknowledgement %.2f (%s)\n", form->rate() / bare[i].rate(),
                form->percentile(0.99) / bare[i].percentile(0.99), form == &ours[i] ? "the log" : "tasks");
    }
    for (auto* const measured : { &quiet, &busy })
        std::printf("%-36s p50 %8.0f us   p99 %8.0f us\n",
            measured == &quiet ? "acknowledged to proven" : "the same right after the load", measured->percentile(0.50), measured->percentile(0.99));
}

} // namespace

int main(int count, char** arguments)
{
    Path const parent = count > 1 ? arguments[1] : ".";
    std::vector<std::size_t> writers;
    for (int i = 2; i < count; ++i)
        writers.push_back(std::strtoul(arguments[i], nullptr, 10));
    if (writers.empty())
        writers = { 1, 8, 64, 512 };
    auto pattern = (parent / "tlog-append-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        return 1;
    Path const folder = pattern;
    {
        SystemClock const clock;
        tlog::NoteSigner signer { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
        auto const log = tlog::Log::open({ .folder = folder / "log", .signer = std::move(signer) }, clock).value();
        UniqueFd const bare(::open((folder / "bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        SpoolOfAnOutage spool(folder / "spool");
        run(*log, spool, bare.get(), writers);
    }
    std::filesystem::remove_all(folder);
}
