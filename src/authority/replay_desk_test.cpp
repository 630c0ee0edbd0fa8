// SPDX-License-Identifier: Apache-2.0
#include "authority/replay_desk.h"

#include "authority/problem_details.h"
#include "tlog/note.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace writ::authority {
namespace {

using net::Response;
using net::Task;

// Reads for as long as it may.
Result<Response> read_for_ever(replay::EntrySource const& log)
{
    for (;;)
        TRY(log.file("checkpoint"));
}
Result<Response> tell_size(replay::EntrySource const& log) { return json_response(JsonObject { { "size", log.size() } }); }

struct Asking {
    std::optional<Result<Response>> answer;
    bool has_left = false;
};
Task<> ask(ReplayDesk& desk, ReplayDesk::Question question, Asking& asking)
{
    auto answer = co_await desk.ask(std::move(question), [&asking] { return asking.has_left; });
    asking.answer.emplace(std::move(answer));
}

class ReplayDeskTest : public testing::Test {
protected:
    ReplayDeskTest()
    {
        tlog::NoteSigner const signer { "acme.ai/log", crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
        auto const note = tlog::sign_checkpoint({ .origin = "acme.ai/log", .size = 7, .root = {} }, signer).value();
        EXPECT_TRUE(replace_file(folder_ / "checkpoint", as_bytes(note), 0600).is_ok());
    }
    ~ReplayDeskTest() override { std::filesystem::remove_all(folder_); }
    Result<Response> asked(ReplayDesk::Question question)
    {
        Asking asking;
        loop_.run(ask(desk_, std::move(question), asking));
        return *asking.answer;
    }

    static Path temporary_folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-replay-XXXXXX").string();
        return ::mkdtemp(name.data());
    }

    net::EventLoop loop_;
    ManualClock clock_ { parse_rfc3339("2026-11-23T20:05:41Z").value() };
    Path folder_ = temporary_folder();
    ReplayDesk desk_ { folder_, clock_ };
};

TEST_F(ReplayDeskTest, answers_from_the_log_as_its_checkpoint_has_it)
{
    for (int i = 0; i < 2; ++i) {
        auto const answer = asked(tell_size);
        ASSERT_TRUE(answer.is_ok()) << answer.error().message;
        EXPECT_EQ(answer->body, R"({"size":7})");
    }
    EXPECT_EQ(asked([](auto const& log) -> Result<Response> { return log.file("tile/entries/000").error(); }).error().code, ErrorCode::not_found);
    std::filesystem::remove(folder_ / "checkpoint");
    EXPECT_EQ(asked(tell_size).error().code, ErrorCode::not_found);
}

TEST_F(ReplayDeskTest, has_one_question_at_a_time_and_ends_it_when_who_asked_has_left)
{
    Asking first;
    loop_.spawn(ask(desk_, read_for_ever, first));
    loop_.run(net::delay(Duration::zero()));
    EXPECT_EQ(asked(tell_size).error().code, ErrorCode::unavailable);
    EXPECT_FALSE(first.answer);
    first.has_left = true;
    while (!first.answer)
        loop_.run(net::delay(std::chrono::milliseconds(1)));
    EXPECT_EQ(first.answer->error().code, ErrorCode::unavailable);
    EXPECT_TRUE(asked(tell_size).is_ok());
}

TEST_F(ReplayDeskTest, ends_a_question_that_takes_too_long)
{
    auto const answer = asked([this](replay::EntrySource const& log) {
        clock_.advance(replay_time_max);
        return read_for_ever(log);
    });
    EXPECT_EQ(answer.error().code, ErrorCode::resource_exhausted);
}

TEST_F(ReplayDeskTest, ends_with_a_question_under_way)
{
    Asking asking;
    auto desk = std::make_unique<ReplayDesk>(folder_, clock_);
    {
        net::EventLoop loop;
        loop.spawn(ask(*desk, read_for_ever, asking));
        loop.run(net::delay(Duration::zero()));
    }
    desk.reset();
    EXPECT_FALSE(asking.answer); // its loop is gone
}

} // namespace
} // namespace writ::authority
