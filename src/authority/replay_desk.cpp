// SPDX-License-Identifier: Apache-2.0
#include "authority/replay_desk.h"

#include "base/background.h"

#include <algorithm>
#include <atomic>

namespace writ::authority {

namespace {

// How often the loop looks whether there is an answer, and whether somebody still waits for it: soon after a question, then now and then.
constexpr Duration look_interval_min = std::chrono::milliseconds(1);
constexpr Duration look_interval_max = std::chrono::milliseconds(100);

// A log that can be taken from whoever reads it.
class EndableLog final : public replay::EntrySource {
public:
    EndableLog(replay::EntrySource const& log, std::atomic<bool> const& is_ended, Clock const& clock)
        : log_(log)
        , is_ended_(is_ended)
        , clock_(clock)
        , due_(clock.monotonic() + replay_time_max)
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return log_.size(); }
    [[nodiscard]] Result<Bytes> file(std::string const& path) const override
    {
        if (is_ended_)
            return unavailable("whoever asked has left, or the authority stops");
        if (clock_.monotonic() >= due_)
            return resource_exhausted("it takes longer than an authority has for it; `since` takes fewer records, and the command with --data reads a copy");
        return log_.file(path);
    }

private:
    replay::EntrySource const& log_;
    std::atomic<bool> const& is_ended_;
    Clock const& clock_;
    Monotonic due_;
};

} // namespace

struct ReplayDesk::Asked {
    std::atomic<bool> is_ended = false;  // set by the loop
    std::atomic<bool> is_answered = false; // set by the thread, behind the answer
    std::optional<Result<net::Response>> answer {};
};

ReplayDesk::ReplayDesk(Path log_folder, Clock const& clock)
    : log_folder_(std::move(log_folder))
    , clock_(clock)
{
}

ReplayDesk::~ReplayDesk()
{
    end();
    if (thread_.joinable())
        thread_.join();
}

void ReplayDesk::end()
{
    if (asked_)
        asked_->is_ended = true;
}

void ReplayDesk::answer(Asked& asked, Question const& question, Path const& log_folder, Clock const& clock)
{
    run_in_background();
    auto const log = replay::open_log_files(log_folder);
    asked.answer.emplace(log.is_ok() ? question(EndableLog(**log, asked.is_ended, clock)) : log.error());
    asked.is_answered = true;
}

net::Task<Result<net::Response>> ReplayDesk::ask(Question question, std::function<bool()> has_left)
{
    if (asked_)
        co_return unavailable("another replay is under way; ask again when it has ended");
    auto const asked = std::make_shared<Asked>();
    asked_ = asked;
    thread_ = std::thread([asked, question = std::move(question), folder = log_folder_, &clock = clock_] { answer(*asked, question, folder, clock); });
    for (auto wait = look_interval_min; !asked->is_answered; wait = std::min(2 * wait, look_interval_max)) {
        if (has_left && has_left())
            end();
        co_await net::delay(wait);
    }
    thread_.join();
    asked_.reset();
    co_return std::move(*asked->answer);
}

} // namespace writ::authority
