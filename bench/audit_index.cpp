// SPDX-License-Identifier: Apache-2.0
//
// audit_index [RECORDS] [FOLDER] [ask] [QUESTION]: writes a log of so many records (1,000,000) as an authority leaves it, builds its index anew, and asks each
// question many times. Prints records a second, file sizes, and p50 and the longest of each question. A folder that is given is kept, and used as it
// is if it has a log; with `ask` its index, too. QUESTION: only those whose names begin so.
#include "audit/lineage.h"
#include "audit/offline_log.h"
#include "tlog/note.h"
#include "tlog/tile.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sys/resource.h>

namespace {

using namespace writ;
using audit::Record;
using audit::RecordedEntity;
using audit::RecordType;
using Instant = std::chrono::steady_clock::time_point;

constexpr std::uint64_t workloads = 300, datasets = 500, models = 200, versions = 20, endpoints = 60, callers = 400;
constexpr std::int64_t epoch = 1'790'000'000;
constexpr int questions_each = 60;

double seconds_since(Instant begin) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(); }
double thread_cpu_seconds()
{
    timespec used {};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}
double cpu_seconds()
{
    rusage used {};
    ::getrusage(RUSAGE_SELF, &used);
    auto const of = [](timeval time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return of(used.ru_utime) + of(used.ru_stime);
}

[[noreturn]] void give_up(Error const& error)
{
    std::fprintf(stderr, "audit_index: %s\n", error.message.c_str());
    std::exit(1);
}
template <typename T> T must(Result<T> result)
{
    if (result.is_error())
        give_up(result.error());
    if constexpr (!std::is_void_v<T>)
        return std::move(result).value();
}
void must(Result<> const& result)
{
    if (result.is_error())
        give_up(result.error());
}

std::string padded(std::uint64_t number)
{
    auto text = std::to_string(number);
    return std::string(text.size() < 9 ? 9 - text.size() : 0, '0') + text;
}
std::string dataset_name(std::uint64_t i) { return "team-" + std::to_string(i % 20) + "/dataset-" + std::to_string(i); }
std::string model_version(std::uint64_t i) { return "model-" + std::to_string(i % models) + "@" + std::to_string(i / models % versions + 1); }
std::string endpoint_name(std::uint64_t i) { return "endpoint-" + std::to_string(i % endpoints); }
std::string run_name(std::uint64_t i) { return "run-" + padded(i) + "abcdefghijk"; }

// A fleet's records: of every 16 one run's eight (it reads two data sets, signs a version, holds a lease) and eight of endpoints that load and are called.
class Story {
public:
    Record next()
    {
        auto const step = count_ % 16, turn = count_ / 16;
        auto record = step < 8 ? of_run(turn, step) : of_endpoint(turn, step);
        record.time = from_unix_seconds(epoch) + std::chrono::milliseconds(20) * count_;
        record.trace = "2" + padded(count_) + "abcdefghij";
        ++count_;
        return record;
    }

private:
    Record base(RecordType type, std::string const& workload, std::uint64_t number)
    {
        Record record;
        record.type = type;
        record.caller = "spiffe://acme.ai/writ/agent/node-" + std::to_string(number % 50);
        record.workload = "spiffe://acme.ai/ml/" + workload;
        record.workload_name = workload;
        record.pipeline = "pipeline-" + std::to_string(number % 40);
        record.team = "team-" + std::to_string(number % 20);
        record.outcome = "ok";
        return record;
    }
    void decide(Record& record, bool allowed)
    {
        record.allowed = allowed;
        record.policies = { allowed ? "fraud-pipeline-reads-for-declared-purposes" : "nothing-without-a-signature" };
        record.posture = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        record.policy_version = 7;
        record.latency = Duration(12);
        record.claims = { { "unix.uid", { "1000" }, "node" }, { "unix.user", { "ml" }, "node" }, { "unix.path", { "/usr/bin/python3.11" }, "node" } };
    }
    Record of_run(std::uint64_t turn, std::uint64_t step)
    {
        auto const number = turn * 2654435761U % workloads;
        auto const type = step == 0 ? RecordType::run_start
            : step == 3             ? RecordType::issuance
            : step == 6             ? RecordType::revocation
            : step == 7             ? RecordType::run_end
                                    : RecordType::decision;
        auto record = base(type, "trainer-" + std::to_string(number), number);
        record.run = run_name(turn);
        record.purpose = number % 5 == 0 ? "evaluate" : "train";
        if (step == 1 || step == 2 || step == 3 || step == 6) {
            record.action = step == 2 ? "train" : "read";
            auto const dataset = (turn * 31 + (step == 2 ? 7 : 0)) % datasets;
            record.resource = RecordedEntity { "DatasetVersion", dataset_name(dataset) + "@" + std::to_string(turn / 5000 + 1), std::to_string(turn / 5000 + 1), "" };
            record.classification = { dataset % 3 == 0 ? "pii" : "internal" };
        } else if (step == 4 || step == 5) {
            record.action = step == 4 ? "sign" : "read";
            if (step == 4)
                record.resource = RecordedEntity { "ModelVersion", model_version(turn), "", "sha256:44136fa355b3678a1146ad16f7e8649e" };
            else
                record.resource = RecordedEntity { "Dataset", dataset_name(turn % datasets), "", "" };
        }
        if (type == RecordType::decision)
            decide(record, step != 5 || turn % 4 != 0);
        if (step == 3 || step == 6)
            record.credential = audit::RecordedCredential { "postgres_role", "writ_" + padded(turn), "SELECT on public.t", "lease-" + padded(turn) + "abcdefghijk",
                from_unix_seconds(epoch + 600) + std::chrono::milliseconds(320) * turn };
        return record;
    }
    Record of_endpoint(std::uint64_t turn, std::uint64_t step)
    {
        auto const endpoint = (turn * 7 + step) % endpoints;
        if (step == 8) {
            auto record = base(RecordType::decision, "server-" + std::to_string(endpoint), endpoint);
            record.action = "load";
            record.endpoint = endpoint_name(endpoint);
            record.purpose = "serve";
            record.resource = RecordedEntity { "ModelVersion", model_version(turn), "", "" };
            decide(record, turn % 10 != 0);
            return record;
        }
        auto const caller = (turn * 13 + step * 5) % callers;
        auto record = base(RecordType::decision, "service-" + std::to_string(caller), caller);
        record.action = "infer";
        record.purpose = "score";
        record.resource = RecordedEntity { "Endpoint", endpoint_name(endpoint), "", "" };
        record.model = RecordedEntity { "ModelVersion", model_version(endpoint + turn / 100'000 * 60), "", "" };
        decide(record, caller % 50 != 0);
        record.claims.clear();
        return record;
    }

    std::uint64_t count_ = 0;
};

void write_file(Path const& folder, tlog::TileFile const& file)
{
    auto const path = folder / file.name.path();
    std::filesystem::create_directories(path.parent_path());
    auto* const out = std::fopen(path.c_str(), "wb");
    if (out == nullptr || std::fwrite(file.bytes.data(), 1, file.bytes.size(), out) != file.bytes.size() || std::fclose(out) != 0)
        give_up(unavailable("cannot write `" + path.string() + "`"));
}

// The published files of a log, without its journal.
void write_log(Path const& folder, std::uint64_t records)
{
    std::filesystem::create_directories(folder);
    Story story;
    tlog::TiledTree tree;
    std::vector<tlog::TileFile> filled;
    tlog::TileFile bundle { { .level = std::nullopt, .index = 0 }, {} };
    for (std::uint64_t i = 0; i < records; ++i) {
        auto const text = audit::to_json_text(story.next());
        tlog::append_entry(bundle.bytes, as_bytes(text));
        tree.append(tlog::leaf_hash(as_bytes(text)), filled);
        if ((i + 1) % tlog::tile_width == 0) {
            write_file(folder, bundle);
            bundle = { { .level = std::nullopt, .index = bundle.name.index + 1 }, {} };
        }
        for (auto const& file : std::exchange(filled, {}))
            write_file(folder, file);
    }
    bundle.name.width = records % tlog::tile_width;
    if (bundle.name.width != 0)
        write_file(folder, bundle);
    for (auto const& file : tree.partial_tiles())
        write_file(folder, file);
    tlog::NoteSigner const signer { .name = "acme.ai/log", .key = must(crypto::PrivateKey::generate(crypto::KeyType::ed25519)) };
    auto const note = must(tlog::sign_checkpoint({ .origin = signer.name, .size = tree.size(), .root = tree.root() }, signer));
    must(replace_file(folder / "checkpoint", as_bytes(note)));
    must(replace_file(folder / "verifier", as_bytes(signer.verifier().to_text() + "\n")));
}

// Only questions whose names begin with it are asked.
std::string_view asked_alone;

// Asks with another number each time, as auditors do.
template <typename Ask> void measure(char const* name, Ask const& ask)
{
    if (!std::string_view(name).starts_with(asked_alone))
        return;
    std::vector<double> times, cpu;
    std::size_t answered = 0;
    for (std::uint64_t i = 0; i < questions_each; ++i) {
        auto const begin = std::chrono::steady_clock::now();
        auto const cpu_begin = thread_cpu_seconds();
        answered += ask(i * 2654435761U);
        times.push_back(seconds_since(begin) * 1e3);
        cpu.push_back((thread_cpu_seconds() - cpu_begin) * 1e3);
    }
    std::sort(times.begin(), times.end());
    std::sort(cpu.begin(), cpu.end());
    std::printf("  %-46s p50 %7.2f ms   max %7.2f ms   CPU p50 %7.2f ms   max %7.2f ms   %6.1f items\n", name, times[times.size() / 2], times.back(),
        cpu[cpu.size() / 2], cpu.back(), static_cast<double>(answered) / questions_each);
}

std::size_t list(audit::Questions& questions, audit::RecordFilter const& filter) { return must(questions.find(filter)).size(); }

audit::RecordFilter filter_of(std::string workload, std::string run, std::string resource, std::string trace)
{
    return { .type = {}, .allowed = {}, .workload = std::move(workload), .run = std::move(run), .resource = std::move(resource), .trace = std::move(trace) };
}

void ask_lists(audit::Questions& questions, std::uint64_t records)
{
    measure("list: the newest 100", [&](std::uint64_t) { return list(questions, filter_of("", "", "", "")); });
    measure("list --run", [&](std::uint64_t n) { return list(questions, filter_of("", run_name(n % (records / 16)), "", "")); });
    measure("list --trace", [&](std::uint64_t n) { return list(questions, filter_of("", "", "", "2" + padded(n % records) + "abcdefghij")); });
    measure("list --workload --decision deny", [&](std::uint64_t n) {
        auto filter = filter_of("trainer-" + std::to_string(n % workloads), "", "", "");
        filter.allowed = false;
        return list(questions, filter);
    });
    measure("list --classification --purpose --since --until", [&](std::uint64_t n) {
        auto filter = filter_of("", "", "", "");
        filter.classification = "pii";
        filter.purpose = "train";
        filter.since = from_unix_seconds(epoch) + std::chrono::milliseconds(20) * (n % records);
        filter.until = *filter.since + std::chrono::hours(1);
        return list(questions, filter);
    });
    measure("list: nothing has all of three common terms", [&](std::uint64_t) {
        auto filter = filter_of("", "", "", "");
        filter.allowed = true;
        filter.purpose = "score";
        filter.classification = "pii";
        return list(questions, filter);
    });
}

void ask_lineage(audit::Questions& questions, std::uint64_t records)
{
    measure("who-used dataset NAME", [&](std::uint64_t n) { return must(questions.who_used("Dataset", dataset_name(n % datasets), {})).uses.size(); });
    measure("who-used dataset NAME@VERSION", [&](std::uint64_t n) {
        return must(questions.who_used("Dataset", dataset_name(n % datasets) + "@1", {})).uses.size();
    });
    measure("who-used endpoint NAME", [&](std::uint64_t n) { return must(questions.who_used("Endpoint", endpoint_name(n), {})).uses.size(); });
    measure("what-used run", [&](std::uint64_t n) { return must(questions.what_run_used(run_name(n % (records / 16)), {})).uses.size(); });
    measure("what-used workload", [&](std::uint64_t n) {
        return must(questions.what_workload_used("trainer-" + std::to_string(n % workloads), {})).uses.size();
    });
    measure("trace model NAME@VERSION", [&](std::uint64_t n) {
        std::size_t nodes = 0;
        for (auto const& model : must(audit::trace_model(questions, model_version(n))).models) {
            for (auto const& run : model.runs)
                nodes += 1 + run.data.size();
            for (auto const& endpoint : model.endpoints)
                nodes += 1 + endpoint.callers.size();
        }
        return nodes;
    });
    measure("never NAME --since (it was used)", [&](std::uint64_t n) {
        return must(questions.never(dataset_name(n % datasets), from_unix_seconds(epoch))).last_use ? std::size_t(1) : 0;
    });
    measure("never NAME --since (it was not)", [&](std::uint64_t) {
        return must(questions.never("no/such/dataset", from_unix_seconds(epoch))).last_use ? std::size_t(1) : 0;
    });
}

std::uintmax_t bytes_under(Path const& folder)
{
    std::uintmax_t bytes = 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder))
        bytes += entry.is_regular_file() ? entry.file_size() : 0;
    return bytes;
}

std::uint64_t build_index(Path const& folder)
{
    auto const begin = std::chrono::steady_clock::now();
    auto const cpu = cpu_seconds();
    auto const count = must(audit::rebuild_index(folder, nullptr));
    auto const elapsed = seconds_since(begin), used = cpu_seconds() - cpu;
    auto const size = std::filesystem::file_size(folder / "audit-index.db");
    std::printf("index built: %llu records in %.2f s, %.2f s CPU: %.0f records/s, %.2f us CPU a record; %.1f MB, %.1f bytes a record\n",
        static_cast<unsigned long long>(count), elapsed, used, static_cast<double>(count) / elapsed, used / static_cast<double>(count) * 1e6,
        static_cast<double>(size) / 1e6, static_cast<double>(size) / static_cast<double>(count));
    return count;
}

void run(std::uint64_t records, Path const& folder, bool asks_alone)
{
    if (!std::filesystem::exists(folder / "log" / "checkpoint")) {
        auto const begin = std::chrono::steady_clock::now();
        write_log(folder / "log", records);
        std::printf("log written: %.1f s, %.2f GB\n", seconds_since(begin), static_cast<double>(bytes_under(folder / "log")) / 1e9);
    }
    auto const count = asks_alone ? records : build_index(folder);
    SystemClock const clock;
    auto const opening = std::chrono::steady_clock::now();
    auto const log = must(audit::OfflineLog::open(folder, clock, nullptr));
    std::printf("opened in %.1f ms; %d times each:\n", seconds_since(opening) * 1e3, questions_each);
    ask_lists(log->questions(), count);
    ask_lineage(log->questions(), count);
}

} // namespace

int main(int argc, char** argv)
{
    std::uint64_t records = 1'000'000;
    if (argc > 1) {
        std::string_view const text = argv[1];
        if (std::from_chars(text.data(), text.data() + text.size(), records).ptr != text.data() + text.size() || records < 1000) {
            std::fprintf(stderr, "usage: audit_index [RECORDS, from 1000] [FOLDER] [ask] [QUESTION]\n");
            return 2;
        }
    }
    auto pattern = (std::filesystem::temp_directory_path() / "writ-bench-XXXXXX").string();
    Path const folder = argc > 2 ? Path(argv[2]) : Path(::mkdtemp(pattern.data()));
    std::filesystem::create_directories(folder);
    asked_alone = argc > 4 ? argv[4] : "";
    run(records, folder, argc > 3 && std::string_view(argv[3]) == "ask");
    if (argc <= 2)
        std::filesystem::remove_all(folder);
    return 0;
}
