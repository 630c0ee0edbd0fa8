// SPDX-License-Identifier: Apache-2.0
//
// log_kills [--all [--part K/N] | --points N] [--seed N]: kill -9 at a system call of a program that appends to a log, for every one of its calls
// (or for each Nth of them, beginning with the Kth) or for some. Several lives are spent on one folder. After each, an open that nobody helps must find every record that was acknowledged, and a
// tree that follows every checkpoint that was ever seen; when the folder is done with, all of its files must verify.
#include "tracer.h"
#include "writer.h"

#include <cinttypes>
#include <cstdio>
#include <cstdlib>

using namespace writ;
using namespace writ::tlog;

namespace {

constexpr int lives_of_a_folder = 4;

// What those who asked the log know of it, over all of its lives.
struct Known {
    std::map<std::uint64_t, std::string> acknowledged;
    std::vector<Checkpoint> checkpoints;
};

[[noreturn]] void fail(std::string const& what)
{
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

template <typename T> T expect(Result<T> result, std::string const& what)
{
    if (result.is_error())
        fail(what + ": " + result.error().message);
    if constexpr (!std::is_void_v<T>)
        return std::move(result).value();
}

// Lines as the writer says them; the last one may be cut.
void learn(std::string_view said, NoteVerifier const& verifier, Known& known)
{
    while (said.find('\n') != std::string_view::npos) {
        auto const line = said.substr(0, said.find('\n'));
        said.remove_prefix(line.size() + 1);
        if (line.starts_with("acknowledged ")) {
            auto const rest = std::string(line.substr(13));
            auto const space = rest.find(' ');
            if (!known.acknowledged.emplace(std::stoull(rest.substr(0, space)), rest.substr(space + 1)).second)
                fail("an index was acknowledged twice: " + rest);
        } else if (line.starts_with("signed ")) {
            auto const note = expect(parse_hex(line.substr(7)), "a checkpoint's line");
            known.checkpoints.push_back(expect(verify_checkpoint(as_text(note), verifier), "a checkpoint that was signed"));
        }
    }
}

void check(Path const& folder, NoteSigner const& signer, Known& known)
{
    auto const log = expect(open_writers_log(folder, signer), "recovery needs help");
    auto const latest = log->latest();
    for (auto const& [index, text] : known.acknowledged)
        if (as_text(expect(log->read(index), "acknowledged entry " + std::to_string(index))) != text)
            fail("entry " + std::to_string(index) + " is another one than was acknowledged");
    for (auto const& old : known.checkpoints) {
        auto const what = "a checkpoint of " + std::to_string(old.size) + " beside one of " + std::to_string(latest.size);
        auto const proof = expect(log->consistency_proof(old.size, latest.size), what);
        expect(verify_consistency(old.size, old.root, latest.size, latest.root, proof), what);
    }
    known.checkpoints.push_back(latest);
}

struct Point {
    std::uint64_t call; // the call at which the writer dies; beyond its last: it ends by itself
    bool was_reached;
};

// One life: the writer until it is killed, then the look at what it left.
Point live(Path const& folder, NoteSigner const& signer, std::uint64_t call, Known& known)
{
    auto const traced = expect(run_until_call({ "/proc/self/exe", "--write", folder.string() }, call), "trace");
    learn(traced.output, signer.verifier(), known);
    if (!traced.was_killed && traced.exit_code != 0)
        fail("the writer failed at call " + std::to_string(call) + ": " + traced.output);
    check(folder, signer, known);
    return { .call = call, .was_reached = traced.was_killed };
}

class Folder {
public:
    explicit Folder(NoteSigner const& signer)
        : signer_(signer)
    {
    }
    ~Folder() { finish(); }
    Folder(Folder const&) = delete;
    Folder& operator=(Folder const&) = delete;

    Point live(std::uint64_t call)
    {
        if (path_.empty())
            begin();
        auto const point = ::live(path_, signer_, call, known_);
        if (++lives_ == lives_of_a_folder)
            finish();
        return point;
    }

private:
    void begin()
    {
        // Memory if there is some: what the kernel has when a process dies does not depend on a disk.
        auto pattern = std::string(::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp") + "/writ-log-kills-XXXXXX";
        if (::mkdtemp(pattern.data()) == nullptr)
            fail("no temporary folder");
        path_ = pattern;
    }
    void finish()
    {
        if (path_.empty())
            return;
        expect(verify_folder(path_ / "log", signer_.verifier(), {}), "the files of a log with " + std::to_string(lives_) + " lives");
        std::filesystem::remove_all(path_);
        path_.clear();
        known_ = {};
        lives_ = 0;
    }
    NoteSigner const& signer_;
    Path path_;
    Known known_;
    int lives_ = 0;
};

// How many system calls the writer makes when nobody disturbs it.
std::uint64_t count_calls(NoteSigner const& signer)
{
    Folder folder(signer);
    std::uint64_t calls = 1;
    while (folder.live(calls).was_reached)
        calls *= 2;
    return calls;
}

struct Tally {
    std::uint64_t killed = 0, ended = 0, last = 0;

    void add(Point const& point)
    {
        (point.was_reached ? killed : ended) += 1;
        last = std::max(last, point.was_reached ? point.call : 0);
    }
};

void try_some(NoteSigner const& signer, std::uint64_t points, unsigned seed, Tally& tally)
{
    auto const beyond = count_calls(signer);
    std::uint64_t random = seed;
    Folder folder(signer);
    for (std::uint64_t i = 0; i < points; ++i) {
        random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        tally.add(folder.live(1 + (random >> 20U) % beyond));
    }
}

// No two lives make equally many calls: it is over when some in a row have ended by themselves.
void try_all(NoteSigner const& signer, std::uint64_t first, std::uint64_t step, Tally& tally)
{
    constexpr std::uint64_t ends_in_a_row = 5;
    Folder folder(signer);
    std::uint64_t in_a_row = 0;
    for (auto call = first; in_a_row < ends_in_a_row; call += step) {
        auto const point = folder.live(call);
        in_a_row = point.was_reached ? 0 : in_a_row + 1;
        tally.add(point);
    }
}

void print(Tally const& tally)
{
    std::printf("%" PRIu64 " lives ended by kill -9 at a system call, the last one at call %" PRIu64 "; %" PRIu64 " ended by themselves\n",
        tally.killed, tally.last, tally.ended);
}

} // namespace

int main(int count, char** arguments)
{
    auto const signer = writers_signer();
    std::uint64_t points = 100;
    unsigned seed = 1;
    auto is_all = false;
    std::uint64_t part = 1, parts = 1;
    for (int i = 1; i < count; ++i) {
        std::string_view const argument = arguments[i];
        if (argument == "--write" && i + 1 < count)
            return write_until_killed(arguments[i + 1]);
        if (argument == "--all")
            is_all = true;
        else if (argument == "--part" && i + 1 < count && std::sscanf(arguments[i + 1], "%" SCNu64 "/%" SCNu64, &part, &parts) == 2 && part > 0 && parts > 0)
            ++i;
        else if (argument == "--points" && i + 1 < count)
            points = std::stoull(arguments[++i]);
        else if (argument == "--seed" && i + 1 < count)
            seed = static_cast<unsigned>(std::stoul(arguments[++i]));
        else
            return 2;
    }
    Tally tally;
    if (is_all)
        try_all(signer, part, parts, tally);
    else
        try_some(signer, points, seed, tally);
    print(tally);
}
