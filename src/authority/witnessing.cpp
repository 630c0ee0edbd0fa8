// SPDX-License-Identifier: Apache-2.0
#include "authority/witnessing.h"

#include "authority/final_file.h"
#include "base/logger.h"

#include <algorithm>

namespace writ::authority {

namespace {

// Between two rounds: each costs every witness a sync of its disk.
constexpr Duration round_interval = std::chrono::milliseconds(200);
// How long a round is waited for; then a newer checkpoint is tried, so that a witness that answers late is asked about what is new.
constexpr Duration round_patience = std::chrono::seconds(10);
// A witness that does not answer is asked again after this, doubled each time.
constexpr Duration retry_first = std::chrono::milliseconds(500);
constexpr Duration retry_longest = std::chrono::seconds(10);
// LIMIT: a start waits for its witnesses no longer.
constexpr Duration start_patience = std::chrono::seconds(5);
constexpr Duration publication_patience = std::chrono::seconds(2);
constexpr Duration publication_poll = std::chrono::milliseconds(10);
constexpr Duration for_ever = std::chrono::hours(24);
constexpr std::size_t final_bytes_max = 256U << 10U;

// The checkpoint of a round, and who has cosigned it.
struct Candidate {
    std::uint64_t size = 0; // 0: none yet
    std::string note;
    std::vector<std::optional<tlog::Cosignature>> cosignatures;

    [[nodiscard]] std::vector<tlog::Cosignature> found() const
    {
        std::vector<tlog::Cosignature> all;
        for (auto const& cosignature : cosignatures)
            if (cosignature)
                all.push_back(*cosignature);
        return all;
    }
    [[nodiscard]] std::string cosigned_note() const
    {
        auto text = note;
        for (auto const& cosignature : found())
            text += cosignature.line;
        return text;
    }
};

// What the witnesses showed at the start; shared with tasks that may outlast the waiting.
struct Seen {
    std::vector<std::optional<Result<std::optional<tlog::Checkpoint>>>> answers;
    net::Notification answered;
    [[nodiscard]] bool is_complete() const
    {
        return std::ranges::all_of(answers, [](auto const& answer) { return answer.has_value(); });
    }
};

net::Task<> ask_one(WitnessClient* client, std::shared_ptr<Seen> seen, std::size_t place)
{
    auto answer = co_await client->latest_seen();
    seen->answers[place].emplace(std::move(answer));
    seen->answered.notify();
}

} // namespace

struct Witnessing::State {
    tlog::Log const& log;
    tlog::NoteVerifier verifier;
    Clock const& clock;
    WitnessingOptions options;
    Path final_path;
    FinalFile file { final_path };
    std::vector<std::unique_ptr<WitnessClient>> clients {};
    std::vector<WitnessState> witnesses {};
    Candidate target {};
    FinalCheckpoint final_one {};
    std::optional<tlog::Checkpoint> stored {}; // what was final in the last life
    net::Notification target_changed {}, cosigned {}, final_changed {};
    bool is_stopping = false, is_keeping = false;

    Result<> add_clients();
    Result<> read_back();
    [[nodiscard]] Result<> check_against(tlog::Checkpoint const& seen, std::string const& who) const;
    net::Task<Result<>> check_all(std::shared_ptr<Seen> seen);
    void begin_round();
    net::Task<> make_final();
    void note_success(std::size_t place, std::string const& note, std::uint64_t size, tlog::Cosignature cosignature);
    void note_failure(std::size_t place, Error const& error);
    static net::Task<> keep_rounds(State* state);
    static net::Task<> keep_witness(State* state, std::size_t place);
};

Result<> Witnessing::State::add_clients()
{
    for (auto const& witness : options.witnesses) {
        witnesses.push_back({ .name = witness.key.name, .url = witness.url, .time = {}, .error = {} });
        clients.push_back(TRY(WitnessClient::create(witness, verifier, options.roots, clock).in("witness `" + witness.url + "`")));
    }
    if (clients.size() != options.quorum.witnesses.size() || (options.quorum.least() == 0 && !clients.empty()))
        return invalid_argument("witnesses without a quorum make nothing final");
    return {};
}

Result<> Witnessing::State::read_back()
{
    auto const bytes = read_file(final_path, final_bytes_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return {};
    auto note = writ::to_text(TRY(bytes));
    auto const where = "`" + final_path.string() + "`";
    stored = TRY(tlog::verify_checkpoint(note, verifier).in(where));
    if (stored->origin != verifier.name)
        return corruption(where + " is of another log, `" + stored->origin + "`");
    auto cosignatures = TRY(tlog::verify_cosignatures(note, options.quorum.witnesses).in(where));
    // With other witnesses than it was made final by it may be final no more.
    if (!options.quorum.witnesses.empty() && options.quorum.is_met(cosignatures) && stored->size <= log.size())
        final_one = { .size = stored->size, .note = std::move(note), .cosignatures = std::move(cosignatures) };
    return {};
}

// SECURITY: only our own signature proves what we have published. A witness alone could keep us from starting by a lie.
Result<> Witnessing::State::check_against(tlog::Checkpoint const& seen, std::string const& who) const
{
    if (seen.size > log.size())
        return corruption("the log on disk has " + std::to_string(log.size()) + " records, and " + who + " has a checkpoint of "
            + std::to_string(seen.size) + " with the log's own signature: it was rolled back, or records are lost");
    auto const latest = log.latest();
    if (seen.size == 0 || seen.size > latest.size)
        return {};
    auto const proof = TRY(log.consistency_proof(seen.size, latest.size));
    if (tlog::verify_consistency(seen.size, seen.root, latest.size, latest.root, proof).is_error())
        return corruption("the log on disk is not the one that " + who + " has a checkpoint of, at " + std::to_string(seen.size)
            + " records and with the log's own signature: it was replaced, or rolled back and written on");
    return {};
}

net::Task<Result<>> Witnessing::State::check_all(std::shared_ptr<Seen> seen)
{
    // What was durable when the last life ended is published within moments.
    for (auto waited = Duration(); log.latest().size < log.size() && waited < publication_patience; waited += publication_poll)
        co_await net::delay(publication_poll);
    if (stored) {
        auto const checked = check_against(*stored, "the file of the final checkpoint");
        if (checked.is_error())
            co_return checked.error();
    }
    for (std::size_t i = 0; i < clients.size(); ++i) {
        auto const& answer = seen->answers[i];
        if (!answer || answer->is_error()) {
            log_warning("a witness does not say what it has seen of the log",
                { { "witness", witnesses[i].name }, { "error", answer ? answer->error().message : "it does not answer in time" } });
            continue;
        }
        if (!**answer)
            continue;
        auto const checked = check_against(***answer, "witness `" + witnesses[i].name + "`");
        if (checked.is_error())
            co_return checked.error();
    }
    co_return Result<>();
}

void Witnessing::State::begin_round()
{
    // One whose tiles monitors can read already.
    auto note = log.public_checkpoint();
    if (note.empty() || note == target.note)
        return;
    auto const checkpoint = tlog::parse_checkpoint_without_verifying(note); // our own
    ASSERT(checkpoint.is_ok());
    if (checkpoint->size == target.size)
        return;
    target = { .size = checkpoint->size, .note = std::move(note), .cosignatures = {} };
    target.cosignatures.resize(clients.size());
    target_changed.notify();
}

net::Task<> Witnessing::State::make_final()
{
    FinalCheckpoint next { .size = target.size, .note = target.cosigned_note(), .cosignatures = target.found() };
    if (is_stopping)
        co_return;
    auto* const to = &file;
    is_keeping = true;
    auto const kept = co_await net::await_callback<Result<>>(
        [to, &next](net::Completion<Result<>> done) { to->replace(next.note, std::move(done)); });
    is_keeping = false;
    if (kept.is_error()) {
        log_error("a final checkpoint could not be kept", { { "error", kept.error().message } });
        co_return;
    }
    final_one = std::move(next);
    final_changed.notify();
}

net::Task<> Witnessing::State::keep_rounds(State* state)
{
    for (;;) {
        state->begin_round();
        auto const deadline = state->clock.monotonic() + round_patience;
        for (;;) {
            auto const seen = state->cosigned.version();
            auto const& target = state->target;
            auto const found = target.found();
            auto const is_new = target.size > state->final_one.size
                || (target.size == state->final_one.size && found.size() > state->final_one.cosignatures.size());
            if (target.size != 0 && is_new && state->options.quorum.is_met(found))
                co_await state->make_final();
            auto const now = state->clock.monotonic();
            if (target.size <= state->final_one.size || now >= deadline)
                break;
            co_await state->cosigned.wait_past(seen, deadline - now);
        }
        co_await net::delay(round_interval);
    }
}

void Witnessing::State::note_success(std::size_t place, std::string const& note, std::uint64_t size, tlog::Cosignature cosignature)
{
    auto& witness = witnesses[place];
    if (!std::exchange(witness.error, {}).empty())
        log_info("a witness cosigns again", { { "witness", witness.name }, { "size", size } });
    witness.is_conflicting = false;
    witness.size = size;
    witness.time = cosignature.time;
    cosignature.witness = place;
    if (target.note != note)
        return; // the round went on without it
    target.cosignatures[place] = std::move(cosignature);
    cosigned.notify();
}

void Witnessing::State::note_failure(std::size_t place, Error const& error)
{
    auto& witness = witnesses[place];
    ++witness.failures;
    witness.is_conflicting = error.code == ErrorCode::conflict;
    if (witness.is_conflicting)
        log_error("A WITNESS HAS SEEN ANOTHER LOG UNDER THIS LOG'S NAME AND KEY; the log was forked or rolled back, or the witness lies",
            { { "witness", witness.name }, { "url", witness.url }, { "error", error.message } });
    else if (witness.error != error.message)
        log_warning("a witness does not cosign", { { "witness", witness.name }, { "url", witness.url }, { "error", error.message } });
    witness.error = error.message;
}

net::Task<> Witnessing::State::keep_witness(State* state, std::size_t place)
{
    auto wait = Duration();
    for (;;) {
        auto const seen = state->target_changed.version();
        if (state->target.size == 0 || state->target.cosignatures[place]) {
            co_await state->target_changed.wait_past(seen, for_ever);
            continue;
        }
        auto const note = state->target.note;
        auto const size = state->target.size;
        auto answer = co_await state->clients[place]->submit(state->log, note, size);
        if (answer.is_ok()) {
            state->note_success(place, note, size, std::move(answer).value());
            wait = Duration();
            continue;
        }
        state->note_failure(place, answer.error());
        wait = std::clamp(wait * 2, retry_first, retry_longest);
        co_await net::delay(wait);
    }
}

Witnessing::Witnessing(std::shared_ptr<State> state)
    : state_(std::move(state))
{
}

Witnessing::~Witnessing() = default;

Result<std::unique_ptr<Witnessing>> Witnessing::create(
    tlog::Log const& log, tlog::NoteVerifier verifier, Path final_file, WitnessingOptions options, Clock const& clock)
{
    auto state = std::make_shared<State>(log, std::move(verifier), clock, std::move(options), std::move(final_file));
    TRY(state->add_clients());
    TRY(state->read_back());
    return std::unique_ptr<Witnessing>(new Witnessing(std::move(state))); // NOLINT: the constructor is private
}

net::Task<Result<>> Witnessing::check_rollback(net::EventLoop& loop)
{
    auto const seen = std::make_shared<Seen>();
    seen->answers.resize(state_->clients.size());
    for (std::size_t i = 0; i < state_->clients.size(); ++i)
        loop.spawn(ask_one(state_->clients[i].get(), seen, i));
    auto const deadline = state_->clock.monotonic() + start_patience;
    while (!seen->is_complete()) {
        auto const version = seen->answered.version();
        auto const now = state_->clock.monotonic();
        if (now >= deadline || !co_await seen->answered.wait_past(version, deadline - now))
            break;
    }
    auto const checked = co_await state_->check_all(seen);
    if (checked.is_ok() || !state_->options.accepts_rollback)
        co_return checked;
    log_error("THE LOG IS NOT WHAT IT WAS, and the authority starts all the same, as it was told to", { { "error", checked.error().message } });
    co_return Result<>();
}

void Witnessing::start(net::EventLoop& loop)
{
    if (state_->clients.empty())
        return;
    loop.spawn(State::keep_rounds(state_.get()));
    for (std::size_t i = 0; i < state_->clients.size(); ++i)
        loop.spawn(State::keep_witness(state_.get(), i));
}

net::Task<> Witnessing::stop()
{
    state_->is_stopping = true;
    while (state_->is_keeping) // LIMIT: one small file's sync
        co_await net::delay(publication_poll);
}

std::string Witnessing::checkpoint() const
{
    auto newest = state_->log.public_checkpoint();
    return state_->target.note == newest ? state_->target.cosigned_note() : newest;
}

FinalCheckpoint const& Witnessing::final_checkpoint() const { return state_->final_one; }
std::size_t Witnessing::quorum() const { return state_->options.quorum.least(); }
std::vector<WitnessState> Witnessing::witnesses() const { return state_->witnesses; }

net::Task<bool> Witnessing::wait_final(std::uint64_t size, Duration timeout) const
{
    auto const deadline = state_->clock.monotonic() + timeout;
    while (state_->final_one.size < size) {
        auto const seen = state_->final_changed.version();
        auto const now = state_->clock.monotonic();
        if (now >= deadline || !co_await state_->final_changed.wait_past(seen, deadline - now))
            co_return state_->final_one.size >= size;
    }
    co_return true;
}

} // namespace writ::authority
