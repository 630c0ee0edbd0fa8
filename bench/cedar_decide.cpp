// SPDX-License-Identifier: Apache-2.0
//
// How long a decision takes: `cedar_decide [--write DIR | --answers]`, with `--seeds N` before for N random worlds of 500 requests each instead. For each suite p50 and p99 of single decisions (less what asking the clock costs), the mean over a loop,
// allocations per decision, and what building the engine takes. With --write the suites are laid down for the peers in bench/peers/cedar, with --answers all decisions are printed as they print theirs.
#include "cedar_suites.h"

#include "cedar/engine.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <new>

namespace {

std::size_t allocations = 0;

} // namespace

void* operator new(std::size_t bytes)
{
    ++allocations;
    if (auto* memory = std::malloc(bytes))
        return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace writ;
using namespace writ::cedar;
using Clock = std::chrono::steady_clock;

double nanoseconds(Clock::duration duration) { return std::chrono::duration<double, std::nano>(duration).count(); }

double processor_time() { return static_cast<double>(std::clock()) * 1e9 / CLOCKS_PER_SEC; }

double quantile(std::vector<double>& samples, double share)
{
    auto const at = samples.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
    std::nth_element(samples.begin(), at, samples.end());
    return *at;
}

// What two looks at the clock cost, at the median.
double clock_cost()
{
    std::vector<double> samples;
    for (int i = 0; i < 100'000; ++i) {
        auto const begin = Clock::now();
        samples.push_back(nanoseconds(Clock::now() - begin));
    }
    return quantile(samples, 0.5);
}


void measure(bench::Suite const& suite, double overhead)
{
    auto const milliseconds = [](Clock::time_point from) { return nanoseconds(Clock::now() - from) / 1e6; };
    std::vector<SyntaxProblem> problems;
    auto const parse_begin = Clock::now();
    auto const policies = PolicySet::parse({ { suite.name, suite.policies } }, problems);
    auto const parse_ms = milliseconds(parse_begin);
    if (!problems.empty()) {
        std::printf("%s: %s\n", suite.name.c_str(), problems[0].message.c_str());
        std::exit(1);
    }
    EntityStore store;
    for (auto const& entity : suite.entities)
        store.add(entity);
    auto const build_begin = Clock::now();
    Engine const engine(policies, store);
    auto const build_ms = milliseconds(build_begin);

    Decider decider(engine);
    std::size_t allowed = 0;
    for (int round = 0; round < 20; ++round)
        for (auto const& request : suite.requests)
            allowed += decider.decide(request).allowed ? 1 : 0;
    std::vector<double> samples;
    samples.reserve(200 * suite.requests.size());
    auto const allocated_before = allocations;
    for (int round = 0; round < 200; ++round)
        for (auto const& request : suite.requests) {
            auto const begin = Clock::now();
            allowed += decider.decide(request).allowed ? 1 : 0;
            samples.push_back(nanoseconds(Clock::now() - begin) - overhead);
        }
    auto const allocated = allocations - allocated_before;
    // Time of this thread alone: other programs on the machine do not count.
    auto const loop_begin = processor_time();
    for (int round = 0; round < 200; ++round)
        for (auto const& request : suite.requests)
            allowed += decider.decide(request).allowed ? 1 : 0;
    auto const mean = (processor_time() - loop_begin) / (200.0 * static_cast<double>(suite.requests.size()));
    auto const memory = engine.memory();
    std::printf("%-14s policies %6zu  entities %6zu  p50 %6.0f ns  p99 %6.0f ns  CPU %6.1f ns  allocations %zu  allowed %3.0f %%  parse %.1f ms  build %.1f ms  memory %.1f MB: %.0f bytes a policy, %.0f an entity\n",
        suite.name.c_str(), policies.size(), store.size(), quantile(samples, 0.5), quantile(samples, 0.99), mean, allocated,
        100.0 * static_cast<double>(allowed) / (420.0 * static_cast<double>(suite.requests.size())), parse_ms, build_ms,
        static_cast<double>(memory.policies + memory.entities) / 1e6, static_cast<double>(memory.policies) / static_cast<double>(policies.size()),
        static_cast<double>(memory.entities) / static_cast<double>(store.size()));
}

std::string joined(std::vector<std::string> const& texts)
{
    std::string text;
    for (auto const& one : texts)
        text += (text.empty() ? "" : ",") + one;
    return text;
}

void print_answers(bench::Suite const& suite)
{
    std::vector<SyntaxProblem> problems;
    auto const policies = PolicySet::parse({ { suite.name, suite.policies } }, problems);
    EntityStore store;
    for (auto const& entity : suite.entities)
        store.add(entity);
    Engine const engine(policies, store);
    for (auto const& request : suite.requests) {
        auto decision = engine.decide(request);
        std::sort(decision.determining.begin(), decision.determining.end());
        std::vector<std::string> errors;
        for (auto const& error : decision.errors)
            errors.push_back(error.policy);
        std::sort(errors.begin(), errors.end());
        std::printf("%s %s %s errors %s\n", suite.name.c_str(), decision.allowed ? "allow" : "deny", joined(decision.determining).c_str(), joined(errors).c_str());
    }
}

// Entities alone: JSON to an engine that can decide.
void measure_entities(std::size_t count)
{
    JsonArray entities;
    for (std::size_t i = 0; i < count; ++i)
        entities.push_back(JsonObject { { "uid", JsonObject { { "type", "Dataset" }, { "id", "d" + std::to_string(i) } } },
            { "attrs", JsonObject { { "tenant", "t" + std::to_string(i % 50) }, { "rows", static_cast<std::int64_t>(i) } } },
            { "parents", JsonArray { JsonObject { { "type", "Project" }, { "id", "x" + std::to_string(i % 1000) } } } } });
    JsonValue const json(std::move(entities));
    auto const begin = Clock::now();
    EntityStore store;
    auto parsed = parse_entities(json).value();
    for (auto& entity : parsed)
        store.add(std::move(entity));
    std::vector<SyntaxProblem> problems;
    Engine const engine(PolicySet::parse({ { "one", "permit (principal, action, resource in Project::\"x1\") when { resource.tenant == \"t1\" };" } }, problems), store);
    std::printf("%zu entities from JSON into an engine: %.0f ms, %.0f bytes each beside their values\n", count, nanoseconds(Clock::now() - begin) / 1e6,
        static_cast<double>(engine.memory().entities) / static_cast<double>(count));
}

std::vector<bench::Suite> measured_suites()
{
    std::vector<bench::Suite> suites;
    bench::SuiteMaker maker(2026);
    for (std::size_t const size : { 5, 20, 50 }) {
        suites.push_back(maker.document_sharing(size));
        suites.push_back(maker.code_hosting(size));
        suites.push_back(maker.task_lists(size));
    }
    for (std::size_t const size : { 10, 100, 1'000, 10'000 })
        suites.push_back(maker.machine_learning(size));
    return suites;
}

} // namespace

int main(int count, char** values)
{
    std::vector<std::string> arguments(values + 1, values + count);
    std::vector<bench::Suite> suites;
    if (arguments.size() >= 2 && arguments[0] == "--seeds") {
        for (std::uint64_t seed = 0; seed < std::stoull(arguments[1]); ++seed)
            suites.push_back(bench::random_suite(seed, 500));
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    } else {
        suites = measured_suites();
    }
    if (arguments.size() == 2 && arguments[0] == "--write") {
        for (auto const& suite : suites)
            bench::write(suite, arguments[1]);
        return 0;
    }
    if (arguments == std::vector<std::string> { "--answers" }) {
        for (auto const& suite : suites)
            print_answers(suite);
        return 0;
    }
    auto const overhead = clock_cost();
    std::printf("asking the clock costs %.0f ns, taken off each sample\n", overhead);
    for (auto const& suite : suites)
        measure(suite, overhead);
    measure_entities(100'000);
}
