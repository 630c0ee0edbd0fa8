// SPDX-License-Identifier: Apache-2.0
//
// How many recorded decisions a second `writ policy replay` makes again: a log's entry bundles on disk, read as by the command, and drafts that
// ask for more and more. Beside it what reading alone takes.
#include "replay/replay.h"
#include "tlog/note.h"
#include "tlog/tile.h"
#include "vocabulary/facts.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sys/resource.h>
#include <unistd.h>

using namespace writ;

namespace {

constexpr std::size_t workloads = 200, datasets = 100, teams = 20;
constexpr std::size_t policies_max = 100;

// `extra` is a condition that decides nothing by itself, so that all drafts give the same answers.
std::string policies_text(std::string_view extra)
{
    std::string text;
    for (std::size_t i = 0; i < policies_max; ++i)
        text += "@id(\"p" + std::to_string(i) + "\") permit (principal in Team::\"team-" + std::to_string(i % teams)
            + R"(", action in [Action::"read", Action::"train"], resource == Dataset::"data-)" + std::to_string(i)
            + "\") when { resource.purpose.contains(context.purpose)" + std::string(extra) + " };\n";
    return text
        + "@id(\"pii\") forbid (principal, action == Action::\"train\", resource is Dataset) when { resource.classification.contains(\"pii\") };\n";
}

cedar::PolicySet parse(std::string const& text)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto set = cedar::PolicySet::parse({ { "bench.cedar", text } }, problems);
    if (!problems.empty())
        std::printf("%s\n", problems.front().message.c_str());
    return set;
}

cedar::EntityStore entities()
{
    cedar::EntityStore store;
    for (std::size_t i = 0; i < datasets; ++i) {
        auto const name = "data-" + std::to_string(i);
        store.add({ { "Dataset", name },
            { { "name", name }, { "location", "postgres://db/" + name },
                { "classification", cedar::Value::set_of(i % 10 == 0 ? std::vector<std::string> { "pii" } : std::vector<std::string> {}) },
                { "purpose", cedar::Value::set_of({ "train", "evaluate" }) } },
            {}, {} });
    }
    return store;
}

class Records {
public:
    explicit Records(cedar::Engine const& engine)
        : engine_(engine)
        , decider_(engine)
    {
    }

    std::string next()
    {
        static constexpr std::array<char const*, 3> purposes { "train", "evaluate", "marketing" };
        auto const workload = chance_() % workloads;
        audit::Record record;
        record.time = time_ += std::chrono::milliseconds(40);
        record.trace = "t" + std::to_string(chance_());
        record.caller = "spiffe://bench.example/writ/agent/node-" + std::to_string(workload % 8);
        record.workload_name = "workload-" + std::to_string(workload);
        record.workload = "spiffe://bench.example/ml/" + record.workload_name;
        record.pipeline = "pipeline-" + std::to_string(workload / 2);
        record.team = "team-" + std::to_string(workload % teams);
        record.run = "run-" + std::to_string(chance_());
        record.purpose = purposes[chance_() % purposes.size()];
        record.claims = { { "unix.gid", { "1000" }, "unix" }, { "unix.path", { "/usr/bin/python3.11" }, "unix" },
            { "unix.pid", { std::to_string(chance_() % 100'000) }, "unix" },
            { "unix.sha256", { "9f2c3f0c7f1d8e6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d4e3f2a" }, "unix" }, { "unix.uid", { "1000" }, "unix" },
            { "unix.user", { "ml" }, "unix" } };
        record.posture = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        record.context = R"({"posture":{}})";
        record.action = chance_() % 2 == 0 ? "read" : "train";
        record.resource = audit::RecordedEntity { "Dataset", "data-" + std::to_string(chance_() % datasets), "", "" };
        record.allowed = false;
        record.policy_version = 7;
        record.latency = Duration(12);
        record.outcome = "ok";
        decide(record);
        return audit::to_json_text(record);
    }

private:
    void decide(audit::Record& record)
    {
        auto const recorded = replay::recorded_request(record).value();
        cedar::EntityStore front(&engine_.entities());
        front.add(recorded.principal);
        auto const verdict = decider_.decide(recorded.request, &front);
        record.allowed = verdict.allowed;
        for (auto const index : verdict.determining)
            record.policies.push_back(engine_.policies().policies()[index]->id);
    }

    cedar::Engine const& engine_;
    cedar::Decider decider_;
    std::mt19937_64 chance_ { 7 };
    Timestamp time_ = from_unix_seconds(1'800'000'000);
};

// The bundles as a log has them, and a checkpoint that names their number; nothing else of a log is read.
Result<> write_log(Path const& folder, std::size_t count, Records& records)
{
    for (std::size_t first = 0; first < count; first += tlog::tile_width) {
        auto const width = std::min<std::size_t>(tlog::tile_width, count - first);
        Bytes bundle;
        for (std::size_t i = 0; i < width; ++i)
            tlog::append_entry(bundle, as_bytes(records.next()));
        auto const path = folder / tlog::TileName { .level = std::nullopt, .index = first / tlog::tile_width, .width = width }.path();
        std::filesystem::create_directories(path.parent_path());
        std::FILE* const file = std::fopen(path.c_str(), "wb");
        if (file == nullptr || std::fwrite(bundle.data(), 1, bundle.size(), file) != bundle.size() || std::fclose(file) != 0)
            return unavailable("cannot write `" + path.string() + "`");
    }
    tlog::NoteSigner const signer { "bench.example/log", TRY(crypto::PrivateKey::generate(crypto::KeyType::ed25519)) };
    auto const note = TRY(tlog::sign_checkpoint({ .origin = signer.name, .size = count, .root = {}, .extension = "" }, signer));
    return replace_file(folder / "checkpoint", as_bytes(note));
}

double seconds_since(std::chrono::steady_clock::time_point began)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

// Of all threads: what a busy machine does not blur.
double processor_seconds()
{
    rusage used {};
    ::getrusage(RUSAGE_SELF, &used);
    auto const seconds = [](timeval const& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return seconds(used.ru_utime) + seconds(used.ru_stime);
}

Result<> measure_reading(replay::EntrySource const& source, std::size_t workers)
{
    auto const began = std::chrono::steady_clock::now();
    TRY(replay::visit_bundles(source, 0, workers, [](std::size_t, replay::Bundle const&) -> Result<> { return {}; }));
    std::printf("%-44s %zu thread%s %10.0f records/s\n", "reading bundles alone", workers, workers == 1 ? " " : "s",
        static_cast<double>(source.size()) / seconds_since(began));
    return {};
}

Result<> measure(replay::EntrySource const& source, cedar::EntityStore const& store, char const* what, std::string_view extra, std::size_t workers)
{
    cedar::Engine const draft(parse(policies_text(extra)), store);
    auto const began = std::chrono::steady_clock::now();
    auto const processor = processor_seconds();
    auto const report = TRY(replay::replay(source, draft, {}, workers));
    auto const seconds = seconds_since(began);
    auto const decisions = static_cast<double>(report.decisions);
    std::printf("%-44s %zu thread%s %10.0f decisions/s  %5.2f us of processor each; %llu decided, %llu changed\n", what, workers,
        workers == 1 ? " " : "s", decisions / seconds, (processor_seconds() - processor) * 1e6 / decisions,
        static_cast<unsigned long long>(report.kinds), static_cast<unsigned long long>(report.changed));
    return {};
}

Result<> run(std::size_t count)
{
    auto const folder = std::filesystem::temp_directory_path() / ("writ-policy-replay." + std::to_string(::getpid()));
    auto const store = entities();
    cedar::Engine const recorded(parse(policies_text("")), store);
    Records records(recorded);
    TRY(write_log(folder, count, records));
    auto const source = TRY(replay::open_log_files(folder));
    std::printf("%zu records, %zu policies\n", count, recorded.policies().size());
    Result<> outcome;
    for (std::size_t const workers : { 1U, 2U }) {
        TRY(measure_reading(*source, workers));
        TRY(measure(*source, store, "purpose", "", workers));
        TRY(measure(*source, store, "purpose, run, claim unix.user",
            " && context.run != \"\" && principal.hasTag(\"unix.user\") && principal.getTag(\"unix.user\").contains(\"ml\")", workers));
        TRY(measure(*source, store, "purpose, time", " && context.time > datetime(\"2020-01-01\")", workers));
        TRY(measure(*source, store, "purpose, claim unix.pid (each a kind)", " && principal.hasTag(\"unix.pid\")", workers));
    }
    std::filesystem::remove_all(folder);
    return outcome;
}

} // namespace

int main(int count, char** arguments)
{
    auto const ran = run(count > 1 ? std::strtoul(arguments[1], nullptr, 10) : 1'000'000);
    if (ran.is_error())
        std::printf("%s\n", ran.error().message.c_str());
    return ran.is_ok() ? 0 : 1;
}
