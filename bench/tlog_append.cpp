// SPDX-License-Identifier: Apache-2.0
//
// audit_append [FOLDER]: appends a second and the time to each acknowledgement, one at a time and 64 in flight, beside bare fdatasync of
// the same bytes on the same disk, measured in turns; and how long after its acknowledgement a record can be proven.
#include "tlog/log.h"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <mutex>
#include <thread>
#include <vector>

namespace {

using namespace writ;
using Instant = std::chrono::steady_clock::time_point;

constexpr std::size_t record_bytes = 400; // a decision with five claims
constexpr int turns = 5;
constexpr std::chrono::milliseconds turn_time { 1500 };

Instant now() { return std::chrono::steady_clock::now(); }
double seconds(Instant::duration time) { return std::chrono::duration<double>(time).count(); }

struct Measured {
    std::vector<double> microseconds; // of each acknowledgement
    double elapsed = 0;
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
};

// write + fdatasync of what a group of `batch` records takes in the journal.
void sync_bare(int fd, std::size_t batch, Measured& measured)
{
    Bytes const bytes(28 + batch * (10 + record_bytes), 'x');
    auto const begin = now();
    while (now() - begin < turn_time) {
        auto const start = now();
        if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) || ::fdatasync(fd) != 0)
            std::abort();
        measured.add(now() - start);
        measured.records += batch;
    }
    measured.elapsed += seconds(now() - begin);
}

// `in_flight` records wait at any time: each acknowledgement is followed by another append, from this thread.
void append_records(tlog::Log& log, std::size_t in_flight, Measured& measured)
{
    std::mutex mutex;
    std::condition_variable acknowledged;
    std::size_t waiting = 0;
    auto const begin = now();
    Bytes const record(record_bytes, 'x');
    while (now() - begin < turn_time) {
        std::size_t room = 0;
        {
            std::unique_lock lock(mutex);
            acknowledged.wait(lock, [&] { return waiting < in_flight; });
            room = in_flight - waiting;
            waiting = in_flight;
        }
        for (; room > 0; --room)
            log.append(record, [&, start = now()](Result<std::uint64_t> const& index) {
                if (index.is_error())
                    std::abort();
                std::scoped_lock const lock(mutex);
                measured.add(now() - start);
                ++measured.records;
                --waiting;
                acknowledged.notify_one();
            });
    }
    std::unique_lock lock(mutex);
    acknowledged.wait(lock, [&] { return waiting == 0; });
    measured.elapsed += seconds(now() - begin);
}

// Whole batches: 64 records handed over at once, the next 64 when all are durable.
void append_batches(tlog::Log& log, std::size_t batch, Measured& measured)
{
    Bytes const record(record_bytes, 'x');
    auto const begin = now();
    while (now() - begin < turn_time) {
        std::mutex mutex;
        std::condition_variable acknowledged;
        std::size_t waiting = batch;
        auto const start = now();
        for (std::size_t i = 0; i < batch; ++i)
            log.append(record, [&](Result<std::uint64_t> const& index) {
                if (index.is_error())
                    std::abort();
                std::scoped_lock const lock(mutex);
                if (--waiting == 0)
                    acknowledged.notify_one();
            });
        std::unique_lock lock(mutex);
        acknowledged.wait(lock, [&] { return waiting == 0; });
        measured.add(now() - start);
        measured.records += batch;
    }
    measured.elapsed += seconds(now() - begin);
}

void print(char const* name, Measured& measured)
{
    std::printf("%-34s %10.0f records/s   p50 %8.0f us   p99 %8.0f us\n", name, measured.rate(), measured.percentile(0.50),
        measured.percentile(0.99));
}

// From acknowledgement to the checkpoint that covers the record, one record at a time.
void measure_publication(tlog::Log& log, Measured& measured)
{
    for (int i = 0; i < 200; ++i) {
        std::mutex mutex;
        std::condition_variable published;
        auto is_published = false;
        log.append(Bytes(record_bytes, 'x'), [&](Result<std::uint64_t> const& index) {
            log.when_published(index.value() + 1, [&, acknowledged = now()](Result<> const&) {
                std::scoped_lock const lock(mutex);
                measured.add(now() - acknowledged);
                is_published = true;
                published.notify_one();
            });
        });
        std::unique_lock lock(mutex);
        published.wait(lock, [&] { return is_published; });
    }
}

} // namespace

int main(int count, char** arguments)
{
    Path const parent = count > 1 ? arguments[1] : ".";
    auto pattern = (parent / "audit-append-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
        return 1;
    Path const folder = pattern;
    {
        SystemClock const clock;
        tlog::NoteSigner signer { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
        auto const log = tlog::Log::open({ .folder = folder / "log", .signer = std::move(signer) }, clock).value();
        UniqueFd const bare(::open((folder / "bare").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        Measured bare_one, bare_64, one, batch_64, in_flight_64, in_flight_4096, quiet, busy;
        measure_publication(*log, quiet);
        for (int turn = 0; turn < turns; ++turn) {
            sync_bare(bare.get(), 1, bare_one);
            append_records(*log, 1, one);
            sync_bare(bare.get(), 64, bare_64);
            append_batches(*log, 64, batch_64);
            append_records(*log, 64, in_flight_64);
            append_records(*log, 4096, in_flight_4096);
        }
        print("bare fdatasync, 1 record", bare_one);
        print("log, 1 record", one);
        print("bare fdatasync, 64 records", bare_64);
        print("log, batches of 64", batch_64);
        print("log, 64 in flight", in_flight_64);
        print("log, 4096 in flight", in_flight_4096);
        measure_publication(*log, busy); // while the files of all that are being settled
        for (auto* const measured : { &quiet, &busy })
            std::printf("%-34s %28sp50 %8.0f us   p99 %8.0f us\n",
                measured == &quiet ? "acknowledged to provable" : "the same right after the load", "", measured->percentile(0.50),
                measured->percentile(0.99));
        std::printf("p99 of an acknowledgement: %.2f of a bare sync (1 record), %.2f (batch of 64)\n",
            one.percentile(0.99) / bare_one.percentile(0.99), batch_64.percentile(0.99) / bare_64.percentile(0.99));
        std::printf(
            "rate: %.2f of bare syncs (1 record), %.2f (batch of 64)\n", one.rate() / bare_one.rate(), batch_64.rate() / bare_64.rate());
    }
    std::filesystem::remove_all(folder);
}
